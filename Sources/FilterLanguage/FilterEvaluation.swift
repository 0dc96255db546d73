extension CheckedFilter {
    /// The rows that the filter allows, by the contract's rules: the union of the INCLUDEs (every row, when none applies) minus the union
    /// of the EXCLUDEs. Null is in no list and no comparison, and satisfies NOT IN and !=.
    ///
    /// For repeated requests on the same table keep `prepared(for:)`.
    /// - Parameters:
    ///   - items: the table of the filter's target: items, users or actions.
    ///   - user: nil for an unknown user: no IF holds.
    ///   - currentItemRow: nil for an unknown item: its values are null.
    ///   - interacted: the rows with which the current user (for a UserID filter: which users themselves) had an event of such types;
    ///     rows outside the table are ignored.
    public func evaluate(
        items: ItemColumns, values: FilterValues = .none, user: FilterUser? = nil, currentItemRow: Int? = nil,
        interacted: (EventTypeSelection) -> [Int32]
    ) throws(FilterError) -> RowBitmap {
        try prepared(for: items).evaluate(values: values, user: user, currentItemRow: currentItemRow, interacted: interacted)
    }

    /// The filter with everything evaluated that depends on the table alone. Keep it beside the table's revision.
    public func prepared(for items: ItemColumns) -> PreparedFilter { PreparedFilter(self, items) }
}

/// A filter bound to one revision of a table; see `CheckedFilter.prepared(for:)`.
public struct PreparedFilter: Sendable {
    public let filter: CheckedFilter
    private let items: ItemColumns
    private let clauses: [PreparedClause]

    private struct PreparedClause {
        let clause: CheckedClause
        /// Union of the groups that need no request; nil without such a group.
        var staticRows: RowBitmap?
        /// The other groups: what is known of each (nil when nothing), and the conditions that wait for a request.
        var openGroups: [(known: RowBitmap?, conditions: [CheckedCondition])] = []
    }

    init(_ filter: CheckedFilter, _ items: ItemColumns) {
        self.filter = filter
        self.items = items
        let request = FilterRequest(items: items, values: .none, user: nil, currentItemRow: nil)
        clauses = filter.clauses.map { clause in
            var prepared = PreparedClause(clause: clause)
            for group in clause.groups {
                var known: RowBitmap?
                for condition in group where condition.isStatic {
                    // A static condition has no operand that a request could lack.
                    guard let test = try? request.test(condition) else { continue }
                    known = Self.intersection(known, items.rows(where: condition.column, test))
                }
                let open = group.filter { !$0.isStatic }
                if open.isEmpty, let known {
                    prepared.staticRows = Self.union(prepared.staticRows, known)
                } else {
                    prepared.openGroups.append((known, open))
                }
            }
            return prepared
        }
    }

    /// See `CheckedFilter.evaluate`. Throws when an INCLUDE lacks a parameter or a value does not suit its field.
    public func evaluate(
        values: FilterValues = .none, user: FilterUser? = nil, currentItemRow: Int? = nil,
        interacted: (EventTypeSelection) -> [Int32]
    ) throws(FilterError) -> RowBitmap {
        let request = FilterRequest(items: items, values: values, user: user, currentItemRow: currentItemRow)
        var included: RowBitmap?
        var excluded: RowBitmap?
        for prepared in clauses {
            guard try request.applies(prepared.clause), try request.holds(prepared.clause.userTests) else { continue }
            let rows = try rows(of: prepared, request, interacted)
            if prepared.clause.isInclude {
                included = Self.union(included, rows)
            } else {
                excluded = Self.union(excluded, rows)
            }
        }
        var allowed = included ?? RowBitmap(count: items.rowCount, filled: true)
        if let excluded { allowed.andNot(excluded) }
        return allowed
    }

    private func rows(
        of prepared: PreparedClause, _ request: FilterRequest, _ interacted: (EventTypeSelection) -> [Int32]
    ) throws(FilterError) -> RowBitmap {
        var union = prepared.staticRows
        for (known, conditions) in prepared.openGroups {
            var rows = known
            for condition in conditions {
                let next =
                    if case .events(let dataset) = condition.kind {
                        eventRows(interacted(try request.selection(condition, dataset)), isNegated: condition.relation.isNegated)
                    } else {
                        items.rows(where: condition.column, try request.test(condition))
                    }
                rows = Self.intersection(rows, next)
            }
            if let rows { union = Self.union(union, rows) }
        }
        return union ?? RowBitmap(count: items.rowCount)
    }

    private func eventRows(_ rows: [Int32], isNegated: Bool) -> RowBitmap {
        var bitmap = RowBitmap(count: items.rowCount, rows: rows)
        if isNegated { bitmap.invert() }
        return bitmap
    }

    private static func union(_ first: RowBitmap?, _ second: RowBitmap) -> RowBitmap {
        guard var first else { return second }
        first.or(second)
        return first
    }

    private static func intersection(_ first: RowBitmap?, _ second: RowBitmap) -> RowBitmap {
        guard var first else { return second }
        first.and(second)
        return first
    }
}
