"""What the tests of pages share."""

from browser import chromium as chromium
from browser import visit as visit
