import Foundation
import Postgres
import Support
import Testing

/// What all migrations make together, kept in Tests/schema.txt: a change of the schema is seen in review as what it comes to.
struct SchemaTests {
    static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../schema.txt").standardized

    @Test func `the migrations make the recorded schema`() throws {
        let database = try TestDatabase.make()
        let connection = try database.connect()
        let rows = try connection.query(
            """
            SELECT line FROM (
                SELECT 1 AS part, c.relname AS name, a.attnum::int AS place,
                    format('%s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                        CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
                        CASE WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END) AS line
                FROM pg_class c
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                WHERE c.relnamespace = 'tastemaker'::regnamespace AND c.relkind IN ('r', 'p')
                UNION ALL
                SELECT 2, k.conrelid::regclass::text, 0, format('%s: %s %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
                FROM pg_constraint k WHERE k.connamespace = 'tastemaker'::regnamespace
                UNION ALL
                SELECT 3, i.tablename::text, 0, i.indexdef FROM pg_indexes i WHERE i.schemaname = 'tastemaker'
                UNION ALL
                SELECT 4, p.proname::text, 0, format('function %s(%s)%s', p.proname, pg_get_function_identity_arguments(p.oid),
                    CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END)
                FROM pg_proc p WHERE p.pronamespace = 'tastemaker'::regnamespace
            ) AS lines
            ORDER BY part, name COLLATE "C", place, line COLLATE "C"
            """)
        let found = try rows.map { try $0.string(0) }.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["TASTEMAKER_RECORD"] != nil {
            try found.write(to: Self.file, atomically: true, encoding: .utf8)
        }
        let recorded = try String(contentsOf: Self.file, encoding: .utf8)
        #expect(found == recorded, "Run the test with TASTEMAKER_RECORD=1 and review the change of Tests/schema.txt.")
    }
}
