import java.util.stream.IntStream;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** Finds pi by the Leibniz series, a part of it in each task. */
public final class Pi {
  private static final int TERMS = 200_000;

  public static void main(String[] args) {
    try (JavaSparkContext spark = new JavaSparkContext(new SparkConf())) {
      var parts = IntStream.range(0, 4).boxed().collect(Collectors.toList());
      double pi = spark.parallelize(parts, parts.size()).map(Pi::part).reduce(Double::sum);
      System.out.printf("Pi is roughly %.4f%n", pi);
    }
  }

  private static double part(int number) {
    double sum = 0;
    for (long k = (long) number * TERMS; k < (long) (number + 1) * TERMS; k++) {
      sum += (k % 2 == 0 ? 4.0 : -4.0) / (2 * k + 1);
    }
    return sum;
  }
}
