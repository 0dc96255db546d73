/// Events of one user without a pause.
private struct Session {
    var user: Int32
    /// Places in the timeline's order.
    var range: Range<Int>
    var start: Int64
    var draw: UInt64
}

extension EvaluationSplit {
    /// A pause of more than half an hour ends a session; without a clock a user is one session.
    static let sessionPause: UInt64 = 1800

    mutating func partSessions(_ data: TrainingData, _ timeline: UserTimeline, _ seed: UInt64) throws(FitError) {
        var sessions = Self.sessions(data, timeline, seed)
        sessions.sort { ($0.start, $0.draw) < ($1.start, $1.draw) }
        let tested = sessions.suffix((sessions.count + 9) / 10)
        guard tested.count < sessions.count else { throw .unusableData("There are fewer than two sessions.") }
        var isHidden = [Bool](repeating: false, count: data.count)
        removesSeen = false
        var single = 0
        for (group, session) in tested.enumerated() {
            for position in order[session.range] { isHidden[Int(position)] = true }
            if session.range.count < 2 { single += 1 }
            for place in session.range.dropFirst() {
                queries.append(
                    TestQuery(
                        user: session.user, history: session.range.lowerBound..<place, truth: [data.items[Int(order[place])]],
                        group: Int32(group)))
            }
        }
        training = (0..<data.count).filter { !isHidden[$0] }
        sentences.append(
            "The newest \(tested.count) of \(sessions.count) sessions (a pause of more than 30 minutes ends one; equal starts by the seed) are tested: "
                + "every prefix foretells the next item, seen items stay. \(single) sessions of one event are not tested.")
    }

    private static func sessions(_ data: TrainingData, _ timeline: UserTimeline, _ seed: UInt64) -> [Session] {
        var sessions: [Session] = []
        for (index, user) in timeline.users.enumerated() {
            let range = timeline.range(index)
            var start = range.lowerBound
            for place in range {
                let isLast = place + 1 == range.upperBound
                let time = data.timestamps[Int(timeline.order[place])]
                // Ordered times: as unsigned numbers their difference cannot overflow.
                guard
                    isLast
                        || UInt64(bitPattern: data.timestamps[Int(timeline.order[place + 1])] &- time) > sessionPause
                else { continue }
                sessions.append(
                    Session(
                        user: user, range: start..<place + 1, start: data.timestamps[Int(timeline.order[start])],
                        draw: draw(start, seed)))
                start = place + 1
            }
        }
        return sessions
    }
}
