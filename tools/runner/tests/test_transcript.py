# SPDX-License-Identifier: GPL-2.0-only
"""What is found in what a guest writes."""

import unittest

import measures
import transcript

BENCH = """\
STEP measure ping
OK measure ping
BENCH-BEGIN ping
ping\tstart\tfloor\t0\t200\t90\t100\t300
BENCH-END
STEP measure call
FAIL measure call: No such file or directory
BENCH-BEGIN call
BENCH-END
KPOOL-END abc 1
"""


class Documents(unittest.TestCase):
    """transcript.parse()"""

    def test_rows_that_were_measured(self):
        found = transcript.parse(BENCH)
        self.assertEqual([(one.name, one.closed) for one in found.benches],
                         [("ping", True), ("call", True)])
        rows = measures.parse(one.text for one in found.benches)
        self.assertEqual(rows.find("ping", "start", "floor").rounds,
                         {0: (200, 90, 100, 300)})

    def test_row_that_failed(self):
        found = transcript.parse(BENCH)
        self.assertEqual(found.steps,
                         [("measure ping", None),
                          ("measure call", "No such file or directory")])
        self.assertEqual(found.end, ("abc", "1"))

    def test_guest_that_dies_in_a_row(self):
        found = transcript.parse(BENCH.partition("BENCH-END")[0])
        self.assertEqual([one.closed for one in found.benches], [False])
        self.assertIsNone(found.end)

    def test_words_in_a_document_are_its_text(self):
        found = transcript.parse("BENCH-BEGIN a\nFAIL b: c\nKPOOL-END x 0\n")
        self.assertEqual((found.steps, found.end), ([], None))
        self.assertEqual(found.benches[0].text, "FAIL b: c\nKPOOL-END x 0\n")
