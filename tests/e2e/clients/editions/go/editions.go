// What hamba/avro and goavro make of the schemas, each line of output as "library value":
//
//	editions fingerprint SCHEMA          its fingerprint, in hex as on the wire
//	editions encode SCHEMA ID TENANT     a command by that schema, framed, in hex
//	editions decode MINE LATER <values   type and tenant of events, with the schema MINE alone; of
//	                                     LATER only the schema is known, as of any writer
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/linkedin/goavro/v2"
)

const headerSize = 10

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func text(file string) string {
	return string(must(os.ReadFile(file)))
}

func header(fingerprint []byte) []byte {
	return append([]byte{0xc3, 0x01}, fingerprint...)
}

func hambaFingerprint(schema avro.Schema) []byte {
	return must(schema.FingerprintUsing(avro.CRC64AvroLE))
}

func goavroFingerprint(codec *goavro.Codec) []byte {
	return binary.LittleEndian.AppendUint64(nil, codec.Rabin)
}

// Of any of the inputs; a member that its edition has not is left out by both libraries.
func command(name, id, tenant string) map[string]any {
	all := map[string]any{"commandId": id, "tenantId": tenant, "requestId": nil, "clientId": nil, "timestamp": time.Now()}
	switch name {
	case "posthorn.v1.WebhookCommand":
		all["operation"] = map[string]any{"posthorn.v1.CreateWebhook": map[string]any{
			"events": []string{"OpenIdCredentialIssued"}, "url": "https://hooks.example.com/", "disabled": true,
			"description": map[string]any{"string": "of a library"},
		}}
	case "posthorn.v1.CredentialIssuanceCommand":
		for _, member := range []string{"credentialId", "credentialConfigurationId", "credentialProfile", "format"} {
			all[member] = member
		}
		all["credential"] = `"ey.x.y"`
	case "posthorn.v1.EventCommand":
		all["eventType"], all["payload"] = "DegreeRevoked", "{}"
	}
	return all
}

func fingerprint(file string) {
	fmt.Println("hamba", hex.EncodeToString(hambaFingerprint(avro.MustParse(text(file)))))
	fmt.Println("goavro", hex.EncodeToString(goavroFingerprint(must(goavro.NewCodec(text(file))))))
}

func encode(file, id, tenant string) {
	schema, codec := avro.MustParse(text(file)), must(goavro.NewCodec(text(file)))
	name := schema.(avro.NamedSchema).FullName()
	body := must(avro.Marshal(schema, command(name, id+"-hamba", tenant)))
	fmt.Println("hamba", hex.EncodeToString(append(header(hambaFingerprint(schema)), body...)))
	fmt.Println("goavro", hex.EncodeToString(must(codec.SingleFromNative(nil, command(name, id+"-goavro", tenant)))))
}

// By the writer's fingerprint, which is the specification's.
func decode(mineFile, laterFile, mineFrame, laterFrame string) {
	mine, later := avro.MustParse(text(mineFile)), avro.MustParse(text(laterFile))
	resolved := must(avro.NewSchemaCompatibility().Resolve(mine, later))
	schemas := map[string]avro.Schema{mineFrame: mine, laterFrame: resolved}
	values := bufio.NewScanner(os.Stdin)
	values.Buffer(nil, 1<<24)
	for values.Scan() {
		value := must(hex.DecodeString(values.Text()))
		schema, known := schemas[hex.EncodeToString(value[:headerSize])]
		if !known {
			log.Fatalf("no schema for %x", value[:headerSize])
		}
		var event map[string]any
		must(0, avro.Unmarshal(schema, value[headerSize:], &event))
		fmt.Println("hamba", event["type"], event["tenantId"], len(event))
	}
}

func main() {
	switch arguments := os.Args[2:]; os.Args[1] {
	case "fingerprint":
		fingerprint(arguments[0])
	case "encode":
		encode(arguments[0], arguments[1], arguments[2])
	case "decode":
		decode(arguments[0], arguments[1], arguments[2], arguments[3])
	}
}
