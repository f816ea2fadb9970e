import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.graphx.Edge;
import org.apache.spark.graphx.Graph;
import org.apache.spark.graphx.lib.ConnectedComponents;
import org.apache.spark.storage.StorageLevel;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** Counts the islands of a graph with GraphX: two rings of different length, and a pair. */
public final class Islands {
  public static void main(String[] args) {
    try (JavaSparkContext spark = new JavaSparkContext(new SparkConf())) {
      List<Edge<Integer>> bridges = List.of(
          bridge(1, 2), bridge(2, 3), bridge(3, 1),
          bridge(10, 11), bridge(11, 12), bridge(12, 13), bridge(13, 10),
          bridge(20, 21));
      ClassTag<Integer> whole = ClassTag$.MODULE$.apply(Integer.class);
      Graph<Integer, Integer> sea = Graph.fromEdges(spark.parallelize(bridges, 2).rdd(), 0,
          StorageLevel.MEMORY_ONLY(), StorageLevel.MEMORY_ONLY(), whole, whole);
      var islands = ConnectedComponents.run(sea, whole, whole).vertices().toJavaRDD()
          .mapToPair(place -> new scala.Tuple2<Object, Integer>(place._2(), 1)).reduceByKey(Integer::sum).collectAsMap();
      System.out.println("islands: " + new java.util.TreeMap<>(islands));
    }
  }

  private static Edge<Integer> bridge(long from, long to) {
    return new Edge<>(from, to, 1);
  }
}
