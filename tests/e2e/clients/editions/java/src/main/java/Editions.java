import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.util.HexFormat;
import org.apache.avro.Schema;
import posthorn.v1.AnalyticEvent;

/**
 * Reads events with classes that were generated from edition 1: type, tenant and the class of the
 * data of each. The argument is the later edition's file; the values come as lines in hex.
 */
class Editions {
    public static void main(String[] args) throws Exception {
        var decoder = AnalyticEvent.getDecoder();
        decoder.addSchema(new Schema.Parser().parse(new File(args[0])));
        var values = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = values.readLine()) != null; ) {
            AnalyticEvent event = decoder.decode(HexFormat.of().parseHex(line));
            Object data = event.getData();
            System.out.printf(
                    "java %s %s %s%n",
                    event.getType(),
                    event.getTenantId(),
                    data == null ? "null" : data.getClass().getSimpleName());
        }
    }
}
