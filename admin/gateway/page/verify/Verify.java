// Java 15 or later, the standard library alone.
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

public final class Verify {
	private static final URI JWKS = URI.create("{{JWKS}}");
	private static final long TOLERANCE_S = 300;
	/** What stands before an Ed25519 key in its X.509 form. Source: RFC 8410 section 4. */
	private static final byte[] PREFIX = Base64.getDecoder().decode("MCowBQYDK2VwAyEA");
	private static final Pattern X = Pattern.compile("\"x\"\\s*:\\s*\"([A-Za-z0-9_-]{43})\"");

	/** Ask again when a callback does not verify: keys are rotated. */
	public static List<PublicKey> fetchKeys() throws Exception {
		String set = HttpClient.newHttpClient().send(HttpRequest.newBuilder(JWKS).build(), BodyHandlers.ofString()).body();
		List<PublicKey> keys = new ArrayList<>();
		for (var found = X.matcher(set); found.find();) {
			var bytes = new ByteArrayOutputStream();
			bytes.write(PREFIX);
			bytes.write(Base64.getUrlDecoder().decode(found.group(1)));
			keys.add(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(bytes.toByteArray())));
		}
		return keys;
	}

	/** headers: by lower-case name; body: the bytes as they came. */
	public static boolean isGenuine(List<PublicKey> keys, Map<String, String> headers, byte[] body) throws GeneralSecurityException {
		String id = headers.get("webhook-id"), timestamp = headers.getOrDefault("webhook-timestamp", "");
		if (!timestamp.matches("[0-9]{1,12}") || Math.abs(System.currentTimeMillis() / 1000 - Long.parseLong(timestamp)) > TOLERANCE_S)
			return false;
		for (String text : headers.getOrDefault("webhook-signature", "").split(" ")) {
			if (!text.startsWith("v1a,"))
				continue;
			for (PublicKey key : keys) {
				Signature signature = Signature.getInstance("Ed25519");
				signature.initVerify(key);
				signature.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
				signature.update(body);
				try {
					if (signature.verify(Base64.getDecoder().decode(text.substring(4))))
						return true;
				} catch (GeneralSecurityException | IllegalArgumentException malformed) {
					continue;
				}
			}
		}
		return false;
	}
}
