# shellcheck shell=bash
# A locked Kafka, for compose/kafka --secure: TLS, SASL and ACLs, of which there are none at first.
# shellcheck disable=SC2154
# Sourced. $dir is the cluster's folder; $secure is set where the cluster is such a one.

# `admin` may do everything, as may the brokers; the others may do nothing until ACLs are created.
secure_users=(admin worker gateway operator producer)

make_password() {
	(umask 077 && head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$1")
}

# make_certificate NAME SUBJECT EXTENSIONS [AUTHORITY]: NAME.pem and NAME.key, signed by themselves
# or by the authority.
make_certificate() {
	local name=$1 subject=$2 extensions=$3 signer=(-signkey "$1.key")
	[[ -z ${4-} ]] || signer=(-CA "$4.pem" -CAkey "$4.key" -CAcreateserial)
	(umask 077 && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$name.key")
	openssl req -new -key "$name.key" -subj "$subject" |
		openssl x509 -req "${signer[@]}" -days 3650 -extfile <(printf '%b' "$extensions") -out "$name.pem"
}

# Fills DIR/secure: an authority, the brokers' certificate, and a password for each user.
make_secrets() (
	local user new=$dir/secure.new identifiers='subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
	rm -rf "$new"
	mkdir -m 0755 "$new"
	cd "$new" || exit
	{
		make_certificate ca '/CN=authority of this Kafka' "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n$identifiers"
		make_certificate broker /CN=broker "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n$identifiers" ca
	} 2>openssl.log || fail "openssl failed: $(<openssl.log)"
	(umask 077 && cat broker.key broker.pem >broker.keystore.pem)
	for user in broker "${secure_users[@]}"; do
		make_password "$user.password"
	done
	mv -T "$new" "$dir/secure"
)

# The brokers' settings of a locked cluster; they come after the others and win.
write_secure_properties() {
	local secrets=$dir/secure user listener logins=''
	for user in broker "${secure_users[@]}"; do
		logins+=" user_$user=\"$(<"$secrets/$user.password")\""
	done
	cat <<-END
		listener.security.protocol.map=CLIENT:SASL_SSL,PROXIED:SASL_SSL,CONTROLLER:SSL,STATUS:PLAINTEXT
		ssl.keystore.type=PEM
		ssl.keystore.location=$secrets/broker.keystore.pem
		ssl.truststore.type=PEM
		ssl.truststore.location=$secrets/ca.pem
		listener.name.controller.ssl.client.auth=required
		sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
		sasl.mechanism.inter.broker.protocol=PLAIN
	END
	for listener in client ${proxy:+proxied}; do
		cat <<-END
			listener.name.$listener.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" password="$(<"$secrets/broker.password")"$logins;
			listener.name.$listener.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
		END
	done
	cat <<-END
		# Without an ACL nobody may do anything. At STATUS everybody is ANONYMOUS.
		authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
		super.users=User:admin;User:broker;User:CN=broker
	END
}

# The template of a node's storage, as format_template makes it, with the users of SCRAM in it.
format_secure_template() {
	local user arguments=()
	[[ ! -e $dir/secure/template/meta.properties ]] || return 0
	for user in "${secure_users[@]}"; do
		arguments+=(--add-scram "SCRAM-SHA-512=[name=$user,password=$(<"$dir/secure/$user.password")]")
	done
	write_properties 1 1 9092 "$dir/secure/template" >"$dir/secure/template.properties"
	run_java "$cache" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$dir/secure/template.properties" \
		"${arguments[@]}" >"$dir/secure/format.log" 2>&1 || fail "formatting failed: $(<"$dir/secure/format.log")"
	chmod -R go= "$dir/secure/template"
}

# SCRAM of an older librdkafka cannot log in to Kafka 4: docs/kafka-security.md.
secure_mechanism() {
	if pkg-config --atleast-version=2.6.1 rdkafka 2>/dev/null; then
		echo SCRAM-SHA-512
	else
		echo PLAIN
	fi
}

# write_login PREFIX USER: how a client finds the brokers and logs in.
write_login() {
	cat <<-END
		${1}bootstrap.servers=$(addresses)
		${1}security.protocol=SASL_SSL
		${1}ssl.ca.location=$dir/secure/ca.pem
		${1}sasl.username=$2
	END
}

# DIR/NAME.properties for posthorn's programs, and DIR/NAME.client.properties for other clients of
# librdkafka (kcat -F); DIR/kafka-acls.sh, Kafka's own tool as admin.
write_client_properties() {
	local user mechanism
	mechanism=$(secure_mechanism)
	for user in "${secure_users[@]}"; do
		(
			umask 077
			{
				write_login kafka. "$user"
				echo "kafka.sasl.mechanism=$mechanism"
				echo "kafka.sasl.password.file=$dir/secure/$user.password"
			} >"$dir/$user.properties"
			{
				write_login '' "$user"
				echo "sasl.mechanism=$mechanism"
				echo "sasl.password=$(<"$dir/secure/$user.password")"
			} >"$dir/$user.client.properties"
		)
	done
	write_acls_tool
}

write_acls_tool() {
	(umask 077 && cat >"$dir/secure/admin.java.properties") <<-END
		security.protocol=SASL_SSL
		ssl.truststore.type=PEM
		ssl.truststore.location=$dir/secure/ca.pem
		sasl.mechanism=PLAIN
		sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="$(<"$dir/secure/admin.password")";
	END
	cat >"$dir/kafka-acls.sh" <<-END
		#!/bin/sh
		exec java ${java_options[*]} -cp "$cache/jars/*" org.apache.kafka.tools.AclCommand \\
			--command-config "$dir/secure/admin.java.properties" "\$@"
	END
	chmod +x "$dir/kafka-acls.sh"
}
