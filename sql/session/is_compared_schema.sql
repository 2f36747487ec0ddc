SELECT FROM compared_schema WHERE sha256 = %(sha256)s;
