import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The small counting job on Kafka Streams: read, parse the JSON, count per shop, one output per event.
 *
 * <p>Environment: SERVERS, APP, IN, OUT, GUARANTEE, STORE (memory or rocksdb), COMMIT_MS, STATE_DIR. Everything else is
 * as Kafka Streams has it by default.
 */
public final class CountPerShop {
  private static final String COUNTS = "counts";
  private static final ObjectMapper JSON = new ObjectMapper();

  private CountPerShop() {}

  public static void main(String[] arguments) {
    Map<String, String> environment = System.getenv();
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, environment.get("APP"));
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, environment.get("SERVERS"));
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, environment.get("GUARANTEE"));
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, environment.get("COMMIT_MS"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, environment.get("STATE_DIR"));
    settings.put("auto.offset.reset", "earliest");

    Topology topology = new Topology();
    topology.addSource(
        "in", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), environment.get("IN"));
    topology.addProcessor("count", counting("memory".equals(environment.get("STORE"))), "in");
    topology.addSink(
        "out", environment.get("OUT"), Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "count");

    KafkaStreams streams = new KafkaStreams(topology, settings);
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static ProcessorSupplier<byte[], byte[], byte[], byte[]> counting(boolean inMemory) {
    StoreBuilder<KeyValueStore<String, Long>> store =
        Stores.keyValueStoreBuilder(
                inMemory ? Stores.inMemoryKeyValueStore(COUNTS) : Stores.persistentKeyValueStore(COUNTS),
                Serdes.String(),
                Serdes.Long())
            .withCachingEnabled();
    return new ProcessorSupplier<>() {
      @Override
      public Processor<byte[], byte[], byte[], byte[]> get() {
        return new Count();
      }

      @Override
      public Set<StoreBuilder<?>> stores() {
        return Set.of(store);
      }
    };
  }

  private static final class Count implements Processor<byte[], byte[], byte[], byte[]> {
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<String, Long> counts;

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
      context = given;
      counts = given.getStateStore(COUNTS);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      try {
        JsonNode event = JSON.readTree(record.value());
        String shop = event.get("shop_id").asText();
        Long before = counts.get(shop);
        long n = before == null ? 1 : before + 1;
        counts.put(shop, n);
        ObjectNode out = JSON.createObjectNode();
        out.put("message_id", event.path("event_id").asText());
        out.put("shop_id", shop);
        out.put("n", n);
        context.forward(record.withValue(JSON.writeValueAsBytes(out)));
      } catch (IOException exc) {
        throw new UncheckedIOException(exc);
      }
    }
  }
}
