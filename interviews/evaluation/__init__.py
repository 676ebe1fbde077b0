"""Door: how candidates are judged, by rubrics, scorecards, notes and decisions; who judges whom."""
