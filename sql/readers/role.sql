-- A role, if there is one of this name: the schema of the pipeline's tables, and whether it may use it.
SELECT
    current_schema()                                           AS schema,
    has_schema_privilege(rolname, current_schema(), 'USAGE')   AS may_use
FROM pg_roles
WHERE rolname = %(role)s;
