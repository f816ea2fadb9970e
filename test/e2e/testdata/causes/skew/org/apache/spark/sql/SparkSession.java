package org.apache.spark.sql;

/** Stands for that of another version of Spark. */
public class SparkSession {
  public static String methodOfAnotherVersion() {
    return "";
  }
}
