"""Tests of the job under a local Spark: python -m unittest, in an environment with requirements.txt.

The generator's tests need Go; those on the online retail data set need BRAZIER_DATA, a folder with
online-retail/online-retail.csv.gz. Without them they are skipped.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from decimal import Decimal
from pathlib import Path

import retail

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
GOOD = "1,A,Mug,2,2025-01-31 08:26:00,1.50,7,Germany"
HERE = Path(__file__).parent

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ.setdefault(
    "PYSPARK_SUBMIT_ARGS",
    "--master local[2] --driver-memory 1g --driver-java-options '-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=128m' "
    "--conf spark.ui.enabled=false --conf spark.ui.showConsoleProgress=false "
    "--conf spark.log.level=ERROR --conf spark.sql.shuffle.partitions=2 pyspark-shell",
)


class JobTest(unittest.TestCase):
    """One Spark for all tests, a folder for each."""

    @classmethod
    def setUpClass(cls):
        cls.spark = retail.session()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(self.spark.catalog.clearCache)
        self.folder = Path(folder.name)

    def write(self, *lines: str, name: str = "in.csv") -> str:
        path = self.folder / name
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return str(path)

    def analyse(self, *arguments: str) -> dict:
        options = retail.parse_arguments([*arguments, f"{self.folder}/out"])
        with contextlib.redirect_stdout(io.StringIO()):
            report = retail.analyse(self.spark, options)
        written = self.spark.read.text(f"{options.output}/report").collect()
        self.assertEqual(report, json.loads(written[0][0]), "the report that is written is not the one that is returned")
        return report

    def answer(self, name: str) -> list[dict]:
        return [row.asDict() for row in self.spark.read.parquet(f"{self.folder}/out/{name}").collect()]


class ReadTest(JobTest):
    def judge(self, *paths: str) -> tuple[dict, list[dict]]:
        """Returns the counts and the lines that count."""
        everything = retail.judge(retail.read(self.spark, list(paths))).persist()
        kept = everything.where("reason IS NULL").orderBy("invoice").collect()
        return retail.count(everything), [row.asDict() for row in kept]

    def test_every_line_has_one_fate(self):
        fates = {
            "wrong number of columns": ["1,A,Mug,2,2025-01-31 08:26:00,1.50,7", '1,A,"Mu', GOOD + ",x"],
            "unreadable number": [
                "1,A,Mug,two,2025-01-31 08:26:00,1.50,7,Germany",
                "1,A,Mug,2,2025-01-31 08:26:00,,7,Germany",
                "1,A,Mug,2.5,never,1.50,7,Germany",
            ],
            "unreadable date": [
                "1,A,Mug,2,2025-02-30 08:26:00,1.50,7,Germany",
                "1,A,Mug,2,08:26:00,1.50,7,Germany",
                "1,A,Mug,2,13/1/2025 8:26,1.50,7,Germany",
            ],
            "no invoice or product": [",A,Mug,2,2025-01-31 08:26:00,1.50,7,Germany", "1, ,Mug,2,2025-01-31,1.50,7,Germany"],
            "no customer": ["1,A,Mug,2,2025-01-31 08:26:00,1.50,,Germany", "C1,A,Mug,-2,2025-01-31 08:26:00,1.50, ,Germany"],
            "returned goods": ["C1,A,Mug,-2,2025-01-31 08:26:00,1.50,7,Germany"],
            "quantity not above zero": ["1,A,Mug,0,2025-01-31 08:26:00,1.50,7,Germany"],
            "price not above zero": ["1,A,Mug,2,2025-01-31 08:26:00,0.00,7,Germany", "1,A,Mug,2,2025-01-31,-1,7,Germany"],
        }
        good = [
            GOOD,
            '2,B,"Sign, 10"" wide ",2.0,2025-01-31 08:26:00,1.5,7.0,Germany',
            "3,C,Mug,1,1/31/2025 8:26,2,8,",
            "4,D,,1,2025-01-31,2,8,Österreich",
        ]
        lines, kept = self.judge(self.write(HEADER, *good, *[line for lines in fates.values() for line in lines]))
        self.assertEqual(lines["dropped"], {reason: len(lines) for reason, lines in fates.items()})
        self.assertEqual((lines["read"], lines["kept"]), (len(good) + sum(map(len, fates.values())), len(good)))
        self.assertEqual(list(fates), [reason for reason, _ in retail.REASONS], "a reason has no example here")
        one, two, three, _ = kept
        self.assertEqual(two["description"], 'Sign, 10" wide')
        self.assertEqual((two["customer"], two["quantity"], two["amount"]), ("7", 2, Decimal(3)))
        self.assertEqual((three["time"], three["country"]), (one["time"], "unknown"))

    def test_repeated_lines_are_counted_and_kept(self):
        lines, _ = self.judge(self.write(HEADER, GOOD, GOOD, GOOD, "1,A", "1,A"))
        self.assertEqual((lines["duplicates"], lines["kept"]), (3, 3))

    def test_columns_may_be_called_and_ordered_otherwise(self):
        first = self.write(HEADER, GOOD)
        second = self.write(
            "\ufeffCustomer ID,Price,Note,invoice,StockCode,Description,Quantity,InvoiceDate,Country",
            "8,2.25,extra,9,A,Mug,1,2025-02-01 10:00:00,Germany",
            name="second.csv",
        )
        _, kept = self.judge(first, second)
        self.assertEqual([(row["customer"], row["amount"]) for row in kept], [("7", 3), ("8", Decimal("2.25"))])

    def test_input_that_cannot_be_used_is_named(self):
        cases = {
            "is empty": self.write(name="empty.csv"),
            "has no column UnitPrice, CustomerID": self.write("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,Country", name="short.csv"),
            "none of the 0 lines counts": self.write(HEADER, name="header.csv"),
            "none of the 1 lines counts": self.write(HEADER, "1,A", name="bad.csv"),
            "PATH_NOT_FOUND": str(self.folder / "missing.csv"),
        }
        for message, path in cases.items():
            with self.subTest(message), self.assertRaises(retail.InputError) as caught:
                self.analyse(path)
            self.assertIn(message, str(caught.exception))
            self.assertIn(path, str(caught.exception))


class AnswerTest(JobTest):
    def test_pairs_have_support_confidence_and_lift(self):
        # A and B are together in 3 of 5 baskets; A is in 4, B in 3. The sixth basket is too large.
        baskets = {"1": "AB", "2": "AB", "3": "AB", "4": "AC", "5": "C", "6": "ABCDE"}
        lines = [f"{invoice},{product},Product {product},1,2025-01-31 08:26:00,1,7,Germany" for invoice, products in baskets.items() for product in products]
        self.analyse("--min-support", "0.4", "--max-basket", "4", self.write(HEADER, *lines))
        self.assertEqual(
            self.answer("baskets"),
            [{"product": "B", "also": "A", "together": 3, "support": 0.6, "confidence": 1.0, "lift": 1.25}],
        )

    def test_customers_are_scored_in_fifths(self):
        lines = [
            f"{customer}{order},A,Mug,1,2025-01-{31 - 3 * (5 - customer):02} 08:26:00,{customer},{customer},Germany"
            for customer in range(1, 6)
            for order in range(customer)
        ]
        self.analyse(self.write(HEADER, *lines))
        found = {row["customer"]: row for row in self.answer("customers")}
        self.assertEqual([found[str(customer)]["recency"] for customer in range(1, 6)], [12, 9, 6, 3, 0])
        self.assertEqual([(found[c]["r"], found[c]["f"], found[c]["v"]) for c in "12345"], [(n, n, n) for n in range(1, 6)])
        self.assertEqual([found[c]["segment"] for c in "135"], ["asleep", "loyal", "champions"])

    def test_revenue_and_products_add_up(self):
        lines = [GOOD, "1,B,Jug,1,2025-01-31 08:26:00,4,7,Germany", "2,A,mug,1,2025-02-01 08:26:00,1.50,8,Austria", "3,A,Mug,1,2025-02-02 08:26:00,1.50,8,Austria"]
        self.analyse(self.write(HEADER, *lines))
        revenue = [(f"{row['month']:%Y-%m}", row["country"], float(row["revenue"]), row["orders"], row["customers"]) for row in self.answer("revenue")]
        self.assertEqual(revenue, [("2025-01", "Germany", 7.0, 1, 1), ("2025-02", "Austria", 3.0, 2, 1)])
        products = [(row["product"], row["description"], float(row["revenue"]), row["quantity"], row["orders"]) for row in self.answer("products")]
        self.assertEqual(products, [("A", "Mug", 6.0, 4, 3), ("B", "Jug", 4.0, 1, 1)])


class PlantedTest(JobTest):
    @unittest.skipUnless(shutil.which("go"), "the generator needs Go")
    def test_job_finds_what_was_planted(self):
        path = str(self.folder / "planted.csv")
        command = ["go", "run", "./generate", "-lines", "100000", "-seed", "3", path]
        planted = json.loads(subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE).stdout)
        report = self.analyse(path)
        lines, totals = report["lines"], report["totals"]
        self.assertEqual(
            lines,
            {"read": planted["lines"], "kept": planted["kept"], "dropped": planted["dropped"], "duplicates": planted["duplicates"]},
        )
        self.assertEqual(
            (totals["customers"], totals["orders"], totals["products"], Decimal(totals["revenue"])),
            (planted["customers"], planted["invoices"], planted["products"], Decimal(planted["revenueCents"]) / 100),
        )
        months = [Decimal(0)] * 12
        for row in self.answer("revenue"):
            months[row["month"].month - 1] += row["revenue"]
        self.assertEqual(months, [Decimal(cents) / 100 for cents in planted["monthCents"]])
        affinities = {frozenset(pair.values()) for pair in planted["affinities"]}
        best = {frozenset((row["product"], row["also"])) for row in self.answer("baskets")[:10]}
        self.assertLessEqual(best, affinities, "the pairs with the greatest lift are not those that were planted")


class OnlineRetailTest(JobTest):
    @unittest.skipUnless(os.environ.get("BRAZIER_DATA"), "BRAZIER_DATA does not name a folder with online-retail/online-retail.csv.gz")
    def test_known_facts(self):
        report = self.analyse(f"{os.environ['BRAZIER_DATA']}/online-retail/online-retail.csv.gz")
        self.assertEqual(
            report["lines"],
            {
                "read": 541_909,
                "kept": 397_884,
                "dropped": {"no customer": 135_080, "returned goods": 8_905, "price not above zero": 40},
                "duplicates": 5_268,
            },
        )
        self.assertEqual(report["totals"]["customers"], 4_338)


if __name__ == "__main__":
    unittest.main()
