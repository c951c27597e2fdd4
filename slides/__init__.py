"""The course's slides: one Marp deck a lecture, and what builds them (`make slides`)."""
