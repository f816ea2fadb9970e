# A Spark job from R, as Spark starts it: Rscript, with a backend in the driver's JVM that methods are called through.
# The package SparkR does the same with more comfort; it is on no repository any more, so that its protocol is spoken
# here (SerDe, RBackendHandler and RBackendAuthHandler in org.apache.spark.api.r).

wire <- socketConnection(port = as.integer(Sys.getenv("EXISTING_SPARKR_BACKEND_PORT")), blocking = TRUE, open = "a+b", timeout = 300)

whole <- function(value) writeBin(as.integer(value), raw(), endian = "big")
text <- function(value) c(whole(nchar(value, type = "bytes") + 1), charToRaw(value), as.raw(0))
argument <- function(value) if (inherits(value, "handle")) c(charToRaw("j"), text(unclass(value))) else c(charToRaw("c"), text(value))
read_whole <- function() readBin(wire, integer(), endian = "big")
read_text <- function() rawToChar(readBin(wire, raw(), read_whole()))
say <- function(message) { writeBin(message, wire); flush(wire) }

read_value <- function() {
  kind <- rawToChar(readBin(wire, raw(), 1))
  switch(kind, n = NULL, c = read_text(), j = structure(read_text(), class = "handle"), stop("an answer of kind ", kind))
}

call <- function(on, method, ..., static = FALSE) {
  arguments <- list(...)
  message <- c(whole(static), text(unclass(on)), text(method), whole(length(arguments)), unlist(lapply(arguments, argument)))
  say(c(whole(length(message)), message))
  if (read_whole() != 0) stop(read_text())
  read_value()
}

say(text(Sys.getenv("SPARKR_BACKEND_AUTH_SECRET")))
stopifnot(read_text() == "ok")

builder <- call("org.apache.spark.sql.SparkSession", "builder", static = TRUE)
spark <- call(builder, "getOrCreate")
rows <- call(spark, "sql", "SELECT sum(id), count(*) FROM range(0, 100000, 1, 4)")
cat("sum and count:", call(call(rows, "first"), "toString"), "\n")
cat("arguments:", commandArgs(trailingOnly = TRUE), "\n")
cat("mean of R's own:", mean(c(1, 2, 6)), "\n")
call(spark, "stop")
