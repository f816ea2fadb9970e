import org.apache.spark.sql.SparkSession;

/** Was compiled against another Spark, which has a method that the image's has not. */
public class Skewed {
  public static void main(String[] args) {
    System.out.println(SparkSession.methodOfAnotherVersion());
  }
}
