/// What went wrong between us and PostgreSQL.
