import example.Greeting;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** Uses a class of a package in the driver and on executors. */
public final class Greets {
  public static void main(String[] args) {
    try (JavaSparkContext spark = new JavaSparkContext(new SparkConf())) {
      System.out.println(Greeting.of("driver"));
      System.out.println(spark.parallelize(List.of("executor one", "executor two"), 2).map(Greeting::of).collect());
    }
  }
}
