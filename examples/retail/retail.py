"""What a shop's invoices say: revenue, best products, customers worth keeping, and what is bought together.

    retail.py [--min-support SHARE] [--max-basket PRODUCTS] INPUT... OUTPUT

INPUT is a CSV file, plain or compressed with gzip, or a folder or pattern of them, wherever Spark can read:
s3a://bucket/key, file:///path. Its first line names the columns, in any order: InvoiceNo, StockCode, Description,
Quantity, InvoiceDate, UnitPrice, CustomerID, Country. OUTPUT is a folder, whose former content is replaced:

    lines/      the lines that count, as Parquet, by month
    revenue/ products/ customers/ baskets/    the four answers, as Parquet
    report/     one JSON document with the counts and the tables that are printed

Needs PySpark 3.5 or later and nothing else.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]

# Names that other editions of the well-known data sets use, without spaces and in lower case.
ALIASES = {"invoice": "InvoiceNo", "price": "UnitPrice"}

# Why a line does not count. The first that applies is its one and only reason.
REASONS = [
    ("wrong number of columns", "broken IS NOT NULL"),
    ("unreadable number", "quantity IS NULL OR price IS NULL"),
    ("unreadable date", "time IS NULL"),
    ("no invoice or product", "invoice IS NULL OR product IS NULL"),
    ("no customer", "customer IS NULL"),
    ("returned goods", "invoice LIKE 'C%'"),
    ("quantity not above zero", "quantity <= 0"),
    ("price not above zero", "price <= 0"),
]

def whole(column: str) -> str:
    """Spreadsheets and data frames like to write whole numbers as 17850.0."""
    return f"if(endswith({column}, '.0'), left({column}, length({column}) - 2), {column})"


PARSED = {
    "invoice": "nullif(trim(InvoiceNo), '')",
    "product": "nullif(trim(StockCode), '')",
    "description": "trim(Description)",
    "quantity": f"try_cast({whole('Quantity')} AS int)",
    "time": """CASE
        WHEN contains(InvoiceDate, '/') THEN CAST(try_to_timestamp(InvoiceDate, 'M/d/yyyy H:mm') AS timestamp_ntz)
        WHEN length(InvoiceDate) >= 10 THEN try_cast(InvoiceDate AS timestamp_ntz) END""",
    "price": "try_cast(UnitPrice AS decimal(12, 4))",
    "customer": f"nullif({whole('trim(CustomerID)')}, '')",
    "country": "coalesce(nullif(trim(Country), ''), 'unknown')",
}

# An order is an invoice; one that spans midnight on the last of a month counts in both months.
ORDERS = """
    SELECT month, country, customer, invoice, max(time) AS time, sum(amount) AS revenue
    FROM lines GROUP BY month, country, customer, invoice
"""

REVENUE = """
    SELECT month, country, sum(revenue) AS revenue, count(*) AS orders, count(DISTINCT customer) AS customers
    FROM orders GROUP BY month, country ORDER BY month, revenue DESC, country
"""

# A product's name is the one that most of its lines carry.
PRODUCTS = """
    WITH sold AS (
        SELECT product, sum(amount) AS revenue, sum(quantity) AS quantity, count(DISTINCT invoice) AS orders
        FROM lines GROUP BY product),
    names AS (
        SELECT product, max_by(description, (lines, description)) AS description
        FROM (SELECT product, description, count(*) AS lines FROM lines GROUP BY product, description)
        GROUP BY product)
    SELECT product, description, revenue, quantity, orders
    FROM sold JOIN names USING (product) ORDER BY revenue DESC, product
"""

# Scores are fifths: 5 is the best. Equal customers get equal scores, which ntile would not promise.
CUSTOMERS = """
    WITH facts AS (
        SELECT customer, datediff((SELECT max(time) FROM orders), max(time)) AS recency,
               count(DISTINCT invoice) AS frequency, sum(revenue) AS value
        FROM orders GROUP BY customer),
    fifths AS (
        SELECT percentile_approx(-recency, array(0.2, 0.4, 0.6, 0.8), 10000) AS recency,
               percentile_approx(frequency, array(0.2, 0.4, 0.6, 0.8), 10000) AS frequency,
               percentile_approx(value, array(0.2, 0.4, 0.6, 0.8), 10000) AS value
        FROM facts),
    scores AS (
        SELECT facts.*, 1 + size(filter(fifths.recency, x -> x < -facts.recency)) AS r,
               1 + size(filter(fifths.frequency, x -> x < facts.frequency)) AS f,
               1 + size(filter(fifths.value, x -> x < facts.value)) AS v
        FROM facts CROSS JOIN fifths)
    SELECT *, CASE
        WHEN r >= 4 AND f >= 4 THEN 'champions'
        WHEN r >= 3 AND f >= 3 THEN 'loyal'
        WHEN r >= 4 THEN 'new and promising'
        WHEN r <= 2 AND f >= 4 THEN 'cannot lose them'
        WHEN r <= 2 AND f >= 3 THEN 'at risk'
        WHEN r <= 2 THEN 'asleep'
        ELSE 'need attention' END AS segment
    FROM scores ORDER BY value DESC, customer
"""

# What is in each basket, every product once and as a number, which is cheaper to pair and count than its code.
CARTS = "SELECT invoice, collect_set(xxhash64(product)) AS products FROM lines GROUP BY invoice"

# Pairs multiply with the square of the basket, so wholesale baskets are left out, and products too rare to reach the
# minimal support are gone before pairs are made. Each pair stands in the direction in which it is surer.
BASKETS = """
    WITH small AS (SELECT invoice, products FROM carts WHERE size(products) <= {max_basket}),
    total AS (SELECT count(*) AS baskets, greatest(2, {min_support} * count(*)) AS enough FROM small),
    items AS (SELECT invoice, explode(products) AS product FROM small),
    frequent AS (
        SELECT product, count(*) AS n FROM items GROUP BY product HAVING n >= (SELECT enough FROM total)),
    chosen AS (
        SELECT /*+ BROADCAST(frequent) */ sort_array(collect_list(product)) AS products
        FROM items LEFT SEMI JOIN frequent USING (product) GROUP BY invoice),
    firsts AS (SELECT products, posexplode(products) AS (place, one) FROM chosen),
    pairs AS (
        SELECT one, other, count(*) AS together
        FROM firsts LATERAL VIEW explode(slice(products, place + 2, size(products))) AS other
        GROUP BY one, other HAVING together >= (SELECT enough FROM total)),
    counted AS (SELECT frequent.product AS number, n, products.product
        FROM frequent JOIN products ON frequent.product = xxhash64(products.product)),
    directed AS (
        SELECT if((a.n, a.product) <= (b.n, b.product), struct(a.*), struct(b.*)) AS rarer,
               if((a.n, a.product) <= (b.n, b.product), struct(b.*), struct(a.*)) AS commoner, together
        FROM pairs JOIN counted a ON one = a.number JOIN counted b ON other = b.number)
    SELECT rarer.product AS product, commoner.product AS also, together, together / baskets AS support,
           together / rarer.n AS confidence, together * baskets / (rarer.n * commoner.n) AS lift
    FROM directed CROSS JOIN total ORDER BY lift DESC, product, also
"""


class InputError(Exception):
    """The input cannot be used; the message says why and what would help."""


def main(argv: list[str]) -> None:
    options = parse_arguments(argv)
    spark = session()
    try:
        report = analyse(spark, options)
    except InputError as problem:
        sys.exit(f"retail: {problem}")
    finally:
        spark.stop()
    for table in report["tables"]:
        print_table(table)


def session() -> SparkSession:
    # Dates have no zone here; a date that cannot be read has to become null, not an older reader's guess. A line's columns
    # are counted whether or not a query needs them. What is cached is read a few times only: packing it costs more.
    return (
        SparkSession.builder.appName("retail")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        .config("spark.sql.csv.parser.columnPruning.enabled", "false")
        .config("spark.sql.inMemoryColumnarStorage.compressed", "false")
        .getOrCreate()
    )


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="retail.py", description=__doc__.split("\n", 1)[0])
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="CSV file, folder or pattern of them")
    parser.add_argument("output", metavar="OUTPUT", help="folder whose content is replaced")
    parser.add_argument("--min-support", type=float, default=0.01, help="share of the baskets that a pair must be in")
    parser.add_argument("--max-basket", type=int, default=100, help="leave out baskets with more products than this")
    options = parser.parse_args(argv)
    options.output = options.output.rstrip("/")
    if not 0 < options.min_support <= 1:
        parser.error(f"--min-support: {options.min_support} is not a share; write a number above 0 and up to 1")
    if options.max_basket < 2:
        parser.error(f"--max-basket: {options.max_basket} leaves no pairs; write 2 or more")
    return options


def analyse(spark: SparkSession, options: argparse.Namespace) -> dict:
    with doing(spark, "read and judge the lines"):
        everything = judge(read(spark, options.inputs)).persist()
        counts = count(everything)
    print(f"{counts['read']:,} lines read, {counts['kept']:,} kept", flush=True)
    if not counts["kept"]:
        raise InputError(f"{' '.join(options.inputs)}: none of the {counts['read']:,} lines counts: {counts['dropped']}")

    everything.where("reason IS NULL").drop("reason", "fingerprint").createOrReplaceTempView("lines")
    spark.sql(ORDERS).persist().createOrReplaceTempView("orders")
    spark.sql(CARTS).persist().createOrReplaceTempView("carts")
    limits = {"max_basket": options.max_basket, "min_support": options.min_support}
    answers = {"revenue": REVENUE, "products": PRODUCTS, "customers": CUSTOMERS, "baskets": BASKETS.format(**limits)}
    for name, question in answers.items():
        with doing(spark, f"answer {name}"):
            answer = spark.sql(question).coalesce(1).persist()
            answer.createOrReplaceTempView(name)
            save(answer, f"{options.output}/{name}")
    with doing(spark, "save the lines that count"):
        save(spark.sql("SELECT /*+ REBALANCE(month) */ * FROM lines"), f"{options.output}/lines", "month")
    with doing(spark, "write the report"):
        report = {
            "version": 1,
            "inputs": options.inputs,
            "output": options.output,
            "spark": spark.version,
            "lines": counts,
            "totals": totals(spark),
            "tables": tables(spark, counts, options),
        }
        document = json.dumps(report, ensure_ascii=False)
        written = spark.sql("SELECT :report", args={"report": document}).coalesce(1)
        written.write.mode("overwrite").text(f"{options.output}/report")
    return report


@contextmanager
def doing(spark: SparkSession, what: str) -> Iterator[None]:
    """Gives what Spark does meanwhile a name in its web interface, and says how long it took."""
    begun = time.monotonic()
    spark.sparkContext.setJobDescription(what)
    yield
    print(f"{time.monotonic() - begun:6.1f}s  {what}", flush=True)


def read(spark: SparkSession, paths: list[str]) -> DataFrame:
    """Returns the lines of all files, every column as text; broken holds a line with too few or too many columns."""
    return reduce(DataFrame.unionByName, [read_one(spark, path) for path in paths])


def read_one(spark: SparkSession, path: str) -> DataFrame:
    try:
        header = spark.read.csv(path, header=True).columns
    except AnalysisException as problem:
        raise InputError(f"{path}: {str(problem).splitlines()[0]}") from problem
    if not header:
        raise InputError(f"{path}: is empty; its first line has to name the columns {', '.join(COLUMNS)}")
    names = [column_name(title) for title in header]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise InputError(f"{path}: has no column {', '.join(missing)}; its first line names {', '.join(header)}")
    fields = [name if name in COLUMNS else f"extra{i}" for i, name in enumerate(names)]
    schema = StructType([StructField(field, StringType()) for field in [*fields, "broken"]])
    return (
        spark.read.schema(schema)
        .csv(path, header=True, escape='"', columnNameOfCorruptRecord="broken")
        .select(*COLUMNS, "broken")
    )


def column_name(title: str) -> str:
    """Returns the column that a title means, whatever its case and spaces, or the title."""
    plain = title.strip("\ufeff ").replace(" ", "").lower()
    known = {column.lower(): column for column in COLUMNS} | ALIASES
    return known.get(plain, title)


def judge(raw: DataFrame) -> DataFrame:
    """Returns the lines with their values and the reason for which a line does not count, null if it does."""
    fingerprint = F.xxhash64(*[F.coalesce(F.col(column), F.lit("\0")) for column in raw.columns])
    reason = "CASE " + " ".join(f"WHEN {rule} THEN '{reason}'" for reason, rule in REASONS) + " END"
    parsed = raw.select(*[F.expr(rule).alias(name) for name, rule in PARSED.items()], "broken", fingerprint.alias("fingerprint"))
    return parsed.select(
        *PARSED,
        F.expr("trunc(CAST(time AS date), 'MM')").alias("month"),
        F.expr("quantity * price").alias("amount"),
        F.expr(reason).alias("reason"),
        "fingerprint",
    )


def count(everything: DataFrame) -> dict:
    """Counts lines by fate. Repeated lines are reported but kept: whether two equal lines are one is the shop's call."""
    by_reason = {row["reason"]: row["count"] for row in everything.groupBy("reason").count().collect()}
    total = sum(by_reason.values())
    distinct = everything.agg(F.countDistinct("fingerprint")).first()[0]
    return {
        "read": total,
        "kept": by_reason.get(None, 0),
        "dropped": {reason: by_reason[reason] for reason, _ in REASONS if reason in by_reason},
        "duplicates": total - distinct,
    }


def totals(spark: SparkSession) -> dict:
    row = spark.sql("""
        SELECT count(DISTINCT customer) AS customers, count(DISTINCT invoice) AS orders, sum(revenue) AS revenue,
               count(DISTINCT country) AS countries, min(month) AS first, max(month) AS last FROM orders
    """).first()
    products = spark.table("products").count()
    text = {"revenue": str(row["revenue"]), "first": str(row["first"]), "last": str(row["last"])}
    return row.asDict() | {"products": products} | text


def tables(spark: SparkSession, counts: dict, options: argparse.Namespace) -> list[dict]:
    return [lines_table(counts), revenue_table(spark), products_table(spark), customers_table(spark), baskets_table(spark, options)]


def lines_table(counts: dict) -> dict:
    fates = [("read", counts["read"]), ("kept", counts["kept"])]
    fates += [(f"dropped: {reason}", lines) for reason, lines in counts["dropped"].items()]
    rows = [[fate, number(lines), share(lines, counts["read"])] for fate, lines in fates]
    note = f"{counts['duplicates']:,} lines repeat an earlier one; they are kept"
    return table("lines", "Lines", ["", "lines", "share"], rows, note)


def revenue_table(spark: SparkSession) -> dict:
    """Months down, the four strongest countries across."""
    found = spark.table("revenue").collect()
    by_country: dict[str, Decimal] = {}
    for row in found:
        by_country[row["country"]] = by_country.get(row["country"], Decimal(0)) + row["revenue"]
    strongest = sorted(by_country, key=lambda country: (-by_country[country], country))[:4]
    rows = []
    for month in sorted({row["month"] for row in found}):
        cells = [row for row in found if row["month"] == month]
        sold = {row["country"]: row["revenue"] for row in cells}
        others = sum(revenue for country, revenue in sold.items() if country not in strongest)
        revenues = [sum(sold.values()), *[sold.get(country, 0) for country in strongest], others]
        rows.append([f"{month:%Y-%m}", number(sum(row["orders"] for row in cells)), *map(number, revenues)])
    return table("revenue", "Revenue by month and country", ["month", "orders", "revenue", *strongest, "others"], rows)


def products_table(spark: SparkSession) -> dict:
    best = spark.table("products").orderBy(F.desc("revenue"), "product").limit(10).collect()
    rows = [
        [number(rank), row["product"], row["description"] or "", *map(number, (row["revenue"], row["quantity"], row["orders"]))]
        for rank, row in enumerate(best, start=1)
    ]
    return table("products", "Best products", ["", "product", "description", "revenue", "quantity", "orders"], rows)


def customers_table(spark: SparkSession) -> dict:
    segments = spark.sql("""
        SELECT segment, count(*) AS customers, sum(value) AS revenue, avg(frequency) AS orders, avg(recency) AS days
        FROM customers GROUP BY segment ORDER BY revenue DESC
    """).collect()
    people = sum(row["customers"] for row in segments)
    money = sum(row["revenue"] for row in segments)
    rows = [
        [row["segment"], number(row["customers"]), share(row["customers"], people), number(row["revenue"]),
         share(row["revenue"], money), f"{row['orders']:.1f}", f"{row['days']:.0f}"]
        for row in segments
    ]  # fmt: skip
    header = ["segment", "customers", "share", "revenue", "share", "orders each", "days since the last"]
    return table("customers", "Customers by recency, frequency and value", header, rows)


def baskets_table(spark: SparkSession, options: argparse.Namespace) -> dict:
    pairs = spark.sql("""
        SELECT b.*, p.description AS name, a.description AS also_name FROM baskets b
        JOIN products p ON b.product = p.product JOIN products a ON b.also = a.product
        ORDER BY lift DESC, b.product, also LIMIT 10
    """).collect()
    rows = [
        [row["name"] or row["product"], row["also_name"] or row["also"], number(row["together"]),
         share(row["support"], 1), share(row["confidence"], 1), f"{row['lift']:.1f}"]
        for row in pairs
    ]  # fmt: skip
    found = spark.table("baskets").count()
    note = f"{found:,} pairs are in at least {share(options.min_support, 1)} of the baskets; those with over {options.max_basket} products are left out"
    return table("baskets", "Bought together", ["who buys", "also buys", "baskets", "support", "confidence", "lift"], rows, note)


def table(name: str, title: str, columns: list[str], rows: list[list[str]], note: str = "") -> dict:
    return {"name": name, "title": title, "columns": columns, "rows": rows, "note": note}


def number(value: int | Decimal) -> str:
    return f"{value:,.0f}"


def share(part: int | float | Decimal, whole: int | Decimal) -> str:
    return f"{100 * part / whole:.1f}%"


def print_table(shown: dict) -> None:
    print(f"\n{shown['title']}")
    grid = [shown["columns"], *shown["rows"]]
    widths = [max(len(row[i]) for row in grid) for i in range(len(grid[0]))]
    for row in grid:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    if shown["note"]:
        print(f"  {shown['note']}")


def save(frame: DataFrame, path: str, *partitions: str) -> None:
    frame.write.mode("overwrite").partitionBy(*partitions).parquet(path)


if __name__ == "__main__":
    main(sys.argv[1:])
