import Foundation
import Kernels

/// What users met soon after an item: co-visits in a window, nearer ones weighing more.
struct SuccessorFit: Sendable {
    /// Distinct events ahead that count.
    var window = 15
    /// Fall of the weight per step of distance: exp(-(distance - 1) / span).
    var span: Float = 8
    /// Weight of items met before, against 1 for items met after.
    var backward: Float = 0.4
    /// Strength is divided by (occurrences of the follower)^this.
    var popularityDiscount: Float = 0.25
    /// Occurrences added to an item's own before its strengths are divided by them.
    var prior: Float = 20
    var threads: Int

    /// Lists by ascending row.
    func fit(_ matrix: InteractionMatrix, events: [Float], _ progress: ProgressSpan) throws(FitError) -> NeighborLists {
        let itemCount = matrix.itemCount
        let occurrences = Occurrences(matrix)
        let limit = NeighborLists.limit(itemCount: itemCount)
        let kernel = Kernel(self)
        let byFollower = events.map { $0 > 0 ? powf($0, -popularityDiscount) : 0 }
        // Some more occurrences than seen: an item met once or twice says little about what follows.
        let byItem = events.map { 1 / ($0 + prior) }
        guard occurrences.additions(each: 2 * window) > itemCount / Self.denseShare else {
            return try NeighborLists.build(itemCount: itemCount, limit: limit, threads: threads, progress) { item, accumulator in
                occurrences.forEachStretch(around: item, kernel) { rows, weights, count, weight in
                    for place in 0..<count { accumulator.add(rows[place], weight * weights[place]) }
                }
                return accumulator.drain(limit: limit) { row, sum, _ in Int(row) == item ? 0 : byItem[item] * byFollower[Int(row)] * sum }
            }.byRow()
        }
        return try WeightRows.build(
            width: itemCount, chunk: 1, limit: limit, itemCount: itemCount, items: nil, threads: threads, progress, makeSpace: {}
        ) { range, _, out in
            for item in range {
                let sums = out + (item - range.lowerBound) * itemCount
                occurrences.forEachStretch(around: item, kernel) { kernels_add_row($0, $1, $2, $3, sums, itemCount) }
                byFollower.withUnsafeBufferPointer { byFollower in
                    for row in 0..<itemCount { sums[row] *= byItem[item] * byFollower[row] }
                }
                sums[item] = 0
            }
        }
    }

    /// Above this share of the items, passing over all of them takes less than keeping a list of those met.
    private static let denseShare = 4

    /// Weights by distance, nearest first and nearest last.
    private struct Kernel {
        let ahead: [Float]
        let behind: [Float]
        let backward: Float

        init(_ fit: SuccessorFit) {
            ahead = (0..<fit.window).map { expf(-Float($0) / fit.span) }
            behind = ahead.reversed()
            backward = fit.backward
        }
    }

    /// Where each item stands in users' sequences.
    private struct Occurrences {
        private let items: [Int32]
        /// Positions in `items` and their users, by item.
        private let positions: [Int32]
        private let users: [Int32]
        private let offsets: [Int]
        /// Of users' events.
        private let bounds: [Int]

        init(_ matrix: InteractionMatrix) {
            items = matrix.items
            offsets = prefixSums(items.lazy.map { Int($0) }, bins: matrix.itemCount)
            var positions = [Int32](repeating: 0, count: matrix.eventCount)
            var users = positions
            var next = offsets
            for user in 0..<matrix.userCount {
                for position in matrix.offsets[user]..<matrix.offsets[user + 1] {
                    let place = next[Int(items[position])]
                    next[Int(items[position])] += 1
                    (positions[place], users[place]) = (Int32(position), Int32(user))
                }
            }
            (self.positions, self.users, bounds) = (positions, users, matrix.offsets)
        }

        /// Events of an item lie all over the memory: those so many further are fetched meanwhile.
        private static let prefetched = 8

        /// For the mean item, at so many for each of its events.
        func additions(each count: Int) -> Int { items.count * count / max(1, offsets.count - 1) }

        /// Calls `body` with items that stand in a sequence, their weights, how many they are, and a weight for all of them.
        func forEachStretch(
            around item: Int, _ kernel: Kernel, _ body: (UnsafePointer<Int32>, UnsafePointer<Float>, Int, Float) -> Void
        ) {
            let window = kernel.ahead.count
            items.withUnsafeBufferPointer { items in
                kernel.ahead.withUnsafeBufferPointer { ahead in
                    kernel.behind.withUnsafeBufferPointer { behind in
                        guard let items = items.baseAddress, let ahead = ahead.baseAddress, let behind = behind.baseAddress else { return }
                        for place in offsets[item]..<offsets[item + 1] {
                            let (position, user) = (Int(positions[place]), Int(users[place]))
                            let coming = Int(positions[min(place + Self.prefetched, positions.count - 1)])
                            kernels_prefetch(items + max(0, coming - window), 4 * (2 * window + 1))
                            let later = min(window, bounds[user + 1] - position - 1)
                            if later > 0 { body(items + position + 1, ahead, later, 1) }
                            let earlier = min(window, position - bounds[user])
                            if earlier > 0, kernel.backward > 0 {
                                body(items + position - earlier, behind + window - earlier, earlier, kernel.backward)
                            }
                        }
                    }
                }
            }
        }
    }
}
