# A class that is in the image.
spark-submit --class org.example.Main spark-internal a b
