"""Files to take away: a candidate's interview, many candidates, recordings, and tables of figures."""
