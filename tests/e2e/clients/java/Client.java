import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import io.apicurio.registry.serde.avro.AvroKafkaSerializer;
import java.io.File;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Creates a webhook with Apicurio's serializers and their 4-byte ids, and prints the outcome. */
class Client {
    static Properties properties(String bootstrap, String registry) {
        Properties all = new Properties();
        all.putAll(Map.of(
                "bootstrap.servers", bootstrap,
                "apicurio.registry.url", registry,
                "apicurio.registry.auto-register", "true",
                "apicurio.registry.artifact-resolver-strategy", "io.apicurio.registry.serde.strategy.TopicIdStrategy",
                "apicurio.registry.id-handler", "io.apicurio.registry.serde.Legacy4ByteIdHandler",
                "apicurio.registry.use-id", "contentId",
                "apicurio.registry.headers.enabled", "false"));
        return all;
    }

    static GenericRecord command(Schema schema, String id, String tenant, String hook) {
        Schema create = schema.getField("operation").schema().getTypes().stream()
                .filter(branch -> branch.getName().equals("CreateWebhook"))
                .findFirst()
                .orElseThrow();
        GenericRecord operation = new GenericRecordBuilder(create)
                .set("events", List.of("OpenIdCredentialIssued"))
                .set("url", hook)
                .build();
        return new GenericRecordBuilder(schema)
                .set("commandId", id)
                .set("tenantId", tenant)
                .set("timestamp", System.currentTimeMillis())
                .set("operation", operation)
                .build();
    }

    public static void main(String[] args) throws Exception {
        String bootstrap = args[0], registry = args[1], prefix = args[2], tenant = args[3], hook = args[4];
        Schema schema = new Schema.Parser().parse(new File(args[5]));
        String id = "java-" + System.nanoTime();
        Properties settings = properties(bootstrap, registry);
        try (KafkaProducer<String, GenericRecord> producer =
                new KafkaProducer<>(settings, new StringSerializer(), serializer(settings))) {
            producer.send(new ProducerRecord<>(prefix + "webhook-admin", tenant, command(schema, id, tenant, hook)))
                    .get();
        }
        settings.putAll(Map.of("group.id", id, "auto.offset.reset", "earliest", "isolation.level", "read_committed"));
        try (KafkaConsumer<String, GenericRecord> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), deserializer(settings))) {
            consumer.subscribe(List.of(prefix + "webhook-results"));
            while (true)
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    GenericRecord event = record.value();
                    String type = event.get("type").toString();
                    if (id.equals(String.valueOf(event.get("commandId"))) && !type.endsWith("_START")) {
                        System.out.printf("{\"type\":\"%s\",\"status\":%s}%n", type, event.get("status"));
                        return;
                    }
                }
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static AvroKafkaSerializer<GenericRecord> serializer(Properties settings) {
        AvroKafkaSerializer<GenericRecord> made = new AvroKafkaSerializer<>();
        made.configure((Map) settings, false);
        return made;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static AvroKafkaDeserializer<GenericRecord> deserializer(Properties settings) {
        AvroKafkaDeserializer<GenericRecord> made = new AvroKafkaDeserializer<>();
        made.configure((Map) settings, false);
        return made;
    }
}
