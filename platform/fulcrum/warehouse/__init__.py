"""The PostgreSQL warehouse: server, roles, models, migrations, and what is true of it without any contract."""
