/**
 * A service as many are: the JDK's HTTP server, logback in the format of Spring Boot, and a library that logs by
 * java.util.logging in its own way.
 *
 *     java -cp JARS Service <port> <file of logback> <file of java.util.logging>
 */
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.FileAppender;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.logging.FileHandler;
import java.util.logging.Level;
import java.util.logging.SimpleFormatter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

public final class Service {
  private static final String PATTERN =
      "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %5p 1 --- [%15.15t] %-40.40logger{39} : %m%n";
  private static final Logger LOG = LoggerFactory.getLogger("com.example.orders.OrderController");
  private static final java.util.logging.Logger LIBRARY = java.util.logging.Logger.getLogger("com.example.pool.Pool");

  public static void main(String[] args) throws Exception {
    configure(args[1], args[2]);
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]));
    HttpServer server = HttpServer.create(address, 256);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.createContext("/", Service::serve);
    server.start();
    LOG.info("Tomcat started on port(s): {} (http) with context path ''", args[0]);
  }

  private static void configure(String file, String library) throws IOException {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(PATTERN);
    encoder.start();
    FileAppender<ILoggingEvent> appender = new FileAppender<>();
    appender.setContext(context);
    appender.setEncoder(encoder);
    appender.setFile(file);
    appender.start();
    context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).addAppender(appender);
    LIBRARY.setUseParentHandlers(false);
    FileHandler handler = new FileHandler(library, true);
    handler.setFormatter(new SimpleFormatter());
    LIBRARY.addHandler(handler);
  }

  private static void serve(HttpExchange exchange) throws IOException {
    String query = exchange.getRequestURI().getRawQuery();
    String id = exchange.getRequestHeaders().getFirst("X-Request-Id");
    int status = 200;
    try {
      LOG.debug("{} headers: Authorization: {}", id, exchange.getRequestHeaders().getFirst("Authorization"));
      switch (exchange.getRequestURI().getPath()) {
        case "/order" -> LOG.info("{} order placed by {}", id, query);
        case "/slow" -> {
          LOG.warn("{} took long: {}", id, query);
          LIBRARY.warning(id + " waited for a connection");
        }
        default -> fail(id, query);
      }
    } catch (RuntimeException error) {
      status = 500;
      LOG.error("{} Servlet.service() threw exception", id, error);
      LIBRARY.log(Level.SEVERE, id + " connection is broken", error);
    }
    byte[] body = (id + "\n").getBytes();
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  /** Something fails in another thread, below a cause that has a cause, with a message of two lines. */
  private static void fail(String id, String query) {
    FutureTask<String> task = new FutureTask<>(() -> lookUp(id, query));
    task.run();
    try {
      task.get();
    } catch (InterruptedException | ExecutionException error) {
      IllegalStateException failed = new IllegalStateException(id + " could not be handled", error);
      failed.addSuppressed(new IOException("and the connection\nwas closed"));
      throw failed;
    }
  }

  private static String lookUp(String id, String query) {
    try {
      return Map.of("a", 1).get(query).toString();
    } catch (NullPointerException error) {
      throw new IllegalArgumentException("no order for " + query, error);
    }
  }
}
