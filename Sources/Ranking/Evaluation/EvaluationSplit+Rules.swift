extension EvaluationSplit {
    /// Parts the data. Ties in time are broken by arrival; what is drawn is drawn by the seed.
    public init(_ data: TrainingData, _ rule: SplitRule, seed: UInt64) throws(FitError) {
        guard data.count > 0 else { throw .unusableData("There are no interactions to part.") }
        let timeline = try UserTimeline(data)
        order = timeline.order
        switch rule {
        case .leaveLastOut: leaveLastOut(data, timeline)
        case .temporal(let cut): try cutInTime(data, timeline, cut)
        case .coldItem: try hideItems(data, timeline, seed)
        case .session: try partSessions(data, timeline, seed)
        case .personalize: holdUsersOut(data, timeline, seed)
        }
        if case .temporal = rule { historiesAreTraining = true } else { historiesAreTraining = [.leaveLastOut, .coldItem].contains(rule) }
        guard !queries.isEmpty else { throw .unusableData("The split leaves nobody to test: \(sentences.joined(separator: " "))") }
        guard !training.isEmpty else { throw .unusableData("The split leaves nothing to learn from.") }
        thinOut(seed)
    }

    /// Adds a query with the distinct items of `truth` that are not seen (where seen ones are removed); false when none is left.
    private mutating func ask(_ data: TrainingData, user: Int32, history: Range<Int>, truth: some Sequence<Int32>, group: Int32) -> Bool {
        var known = removesSeen ? Set(order[history].map { data.items[Int($0)] }) : []
        let new = truth.filter { known.insert(data.items[Int($0)]).inserted }
        guard !new.isEmpty else { return false }
        queries.append(
            TestQuery(user: user, history: history, truth: new.map { data.items[Int($0)] }, group: group, firstEvent: new.first))
        return true
    }

    private mutating func leaveLastOut(_ data: TrainingData, _ timeline: UserTimeline) {
        var isHidden = [Bool](repeating: false, count: data.count)
        var single = 0
        var repeated = 0
        for (index, user) in timeline.users.enumerated() {
            let range = timeline.range(index)
            guard range.count >= 2 else {
                single += 1
                continue
            }
            let last = timeline.order[range.upperBound - 1]
            isHidden[Int(last)] = true
            let isAsked = ask(data, user: user, history: range.lowerBound..<range.upperBound - 1, truth: [last], group: user)
            if !isAsked { repeated += 1 }
        }
        training = (0..<data.count).filter { !isHidden[$0] }
        sentences.append("Each user's last event is hidden; users with one event (\(single)) are not tested.")
        if repeated > 0 { sentences.append("\(repeated) users whose last event is on an item they had met are not tested.") }
    }

    private mutating func cutInTime(_ data: TrainingData, _ timeline: UserTimeline, _ wanted: Int64?) throws(FitError) {
        let cut: Int64
        if let wanted { cut = wanted } else { cut = try Self.defaultCut(data) }
        training = (0..<data.count).filter { data.timestamps[$0] < cut }
        var isKnown = Set<Int32>()
        for position in training { isKnown.insert(data.items[position]) }
        var strangers = 0
        var repeated = 0
        var unknown = 0
        for (index, user) in timeline.users.enumerated() {
            let range = timeline.range(index)
            let middle = range.first { data.timestamps[Int(timeline.order[$0])] >= cut } ?? range.upperBound
            guard middle < range.upperBound else { continue }
            guard middle > range.lowerBound else {
                strangers += 1
                continue
            }
            let truth = timeline.order[middle..<range.upperBound]
            guard ask(data, user: user, history: range.lowerBound..<middle, truth: truth, group: user) else {
                repeated += 1
                continue
            }
            unknown += queries[queries.count - 1].truth.count { !isKnown.contains($0) }
        }
        sentences.append(
            "Learned from events before \(cut)\(wanted == nil ? ", four fifths of them," : "") tested on the rest: "
                + "\(strangers) users without an earlier event and \(repeated) with nothing new are not tested.")
        if unknown > 0 { sentences.append("\(unknown) hidden items have no earlier event and stay in the truth.") }
    }

    /// The first moment with at least four fifths of the events before it, or else the last moment.
    private static func defaultCut(_ data: TrainingData) throws(FitError) -> Int64 {
        let times = data.timestamps.sorted()
        guard let first = times.first, let last = times.last, first < last else {
            throw .unusableData("All events have the same time: there is no moment to part them at.")
        }
        let before = times[(times.count * 4 + 4) / 5 - 1]
        return times.first { $0 > before } ?? last
    }

    private mutating func hideItems(_ data: TrainingData, _ timeline: UserTimeline, _ seed: UInt64) throws(FitError) {
        var isPresent = [Bool](repeating: false, count: Int(data.items.max() ?? 0) + 1)
        for item in data.items { isPresent[Int(item)] = true }
        let drawn = isPresent.indices.filter { isPresent[$0] }.map { (Self.draw($0, seed), Int32($0)) }.sorted { $0 < $1 }.map(\.1)
        let cold = Array(drawn.prefix(drawn.count / 5))
        guard !cold.isEmpty else { throw .unusableData("There are fewer than five items: none can be hidden.") }
        var isCold = [Bool](repeating: false, count: isPresent.count)
        for item in cold { isCold[Int(item)] = true }
        training = (0..<data.count).filter { !isCold[Int(data.items[$0])] }
        candidates = cold
        order = []
        order.reserveCapacity(data.count)
        var strangers = 0
        for (index, user) in timeline.users.enumerated() {
            let events = timeline.order[timeline.range(index)]
            let start = order.count
            order += events.filter { !isCold[Int(data.items[Int($0)])] }
            let truth = events.filter { isCold[Int(data.items[Int($0)])] }
            guard !truth.isEmpty else { continue }
            guard order.count > start else {
                strangers += 1
                continue
            }
            _ = ask(data, user: user, history: start..<order.count, truth: truth, group: user)
        }
        sentences.append(
            "\(cold.count) of \(drawn.count) items, drawn by the seed, lose all events and are ranked among themselves; "
                + "\(strangers) users who met only such items are not tested.")
    }

    private mutating func holdUsersOut(_ data: TrainingData, _ timeline: UserTimeline, _ seed: UInt64) {
        let eligible = timeline.users.indices.filter { timeline.range($0).count >= 2 }
        let wanted = min((timeline.users.count + 9) / 10, eligible.count, timeline.users.count - 1)
        let drawn = eligible.map { (Self.draw(Int(timeline.users[$0]), seed), $0) }.sorted { $0 < $1 }.prefix(max(0, wanted)).map(\.1)
        let held = drawn.sorted()
        let isHeld = Set(held.map { timeline.users[$0] })
        training = (0..<data.count).filter { !isHeld.contains(data.users[$0]) }
        var repeated = 0
        for index in held {
            let range = timeline.range(index)
            let hidden = max(1, Int((Double(range.count) * 0.1).rounded()))
            let middle = range.upperBound - hidden
            let user = timeline.users[index]
            let truth = timeline.order[middle..<range.upperBound]
            if !ask(data, user: user, history: range.lowerBound..<middle, truth: truth, group: user) { repeated += 1 }
        }
        sentences.append(
            "\(held.count) users, drawn by the seed, are not learned from; the newest tenth of their events is foretold from the rest. "
                + "\(repeated) of them with nothing new are not tested.")
    }

    /// Keeps at most `limit` queries: whole groups in an order drawn by the seed, each that still fits. Where none fits, the
    /// first of these groups is cut.
    mutating func thinOut(_ seed: UInt64, limit: Int = Self.queryLimit) {
        guard queries.count > limit else { return }
        let all = queries.count
        var sizes: [Int32: Int] = [:]
        for query in queries { sizes[query.group, default: 0] += 1 }
        let drawn = sizes.map { (Self.draw(Int($0.key), seed &+ 1), group: $0.key, size: $0.value) }
            .sorted { ($0.0, $0.group) < ($1.0, $1.group) }
        var kept = Set<Int32>()
        var room = limit
        for (_, group, size) in drawn where size <= room {
            kept.insert(group)
            room -= size
        }
        if kept.isEmpty, let first = drawn.first { kept.insert(first.group) }
        queries = Array(queries.filter { kept.contains($0.group) }.prefix(limit))
        sentences.append("Of \(all) queries \(queries.count), drawn by the seed, are tested: at most \(limit).")
    }

    static func draw(_ id: Int, _ seed: UInt64) -> UInt64 {
        RandomSource.mix(RandomSource.mix(seed &* 0x9E37_79B9_7F4A_7C15 &+ 1) ^ UInt64(id))
    }
}
