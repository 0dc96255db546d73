import Feeds
import Foundation
import JSON
import Tastemaker

/// Vectors in a file: CSV, JSON Lines, or numpy's array format with the ids beside it.
struct VectorFile {
    let path: String
    /// Ids of the rows of an .npy file, one a line.
    let idPath: String?

    func read() throws -> VectorTable {
        switch (path as NSString).pathExtension.lowercased() {
        case "csv": try csv()
        case "jsonl": try jsonLines()
        case "npy": try array()
        default: throw Failure("\(path): the name of a vector file ends in .csv, .jsonl or .npy.")
        }
    }

    private func add(_ id: String, _ vector: [Float], line: Int, to table: inout VectorTable) throws {
        if table.ids.isEmpty { table.dimensions = vector.count }
        guard vector.count == table.dimensions, !vector.isEmpty else {
            throw Failure("\(path) line \(line): \(vector.count) numbers instead of \(table.dimensions).")
        }
        table.ids.append(id)
        table.values += vector
    }

    // MARK: CSV

    private func csv() throws -> VectorTable {
        var table = VectorTable()
        var reader = CSVReader(limits: CSVLimits(fieldBytes: 1 << 17, columns: 4096))
        let rejected: (RowError) throws -> Void = { error in throw Failure("\(path) line \(error.line): \(error.reason).") }
        let row: (borrowing CSVRow) throws -> Void = { row in
            guard row.count >= 2 else { throw Failure("\(path) line \(row.line): an id and numbers are expected.") }
            var vector: [Float] = []
            for column in 1..<row.count { vector += try numbers(row.text(column), line: row.line) }
            try add(row.text(0), vector, line: row.line, to: &table)
        }
        do {
            try FileBytes(path: path).read { try reader.read($0, row: row, rejected: rejected) }
            try reader.finish(row: row, rejected: rejected)
        } catch let error as RowError { try rejected(error) }
        return table
    }

    /// One number, or several between brackets, spaces or separators.
    private func numbers(_ text: String, line: Int) throws -> [Float] {
        let words = text.split { " ,;|[]()\t".contains($0) }
        return try words.map { word in
            guard let number = Float(word), number.isFinite else { throw Failure("\(path) line \(line): '\(word)' is not a number.") }
            return number
        }
    }

    // MARK: JSON Lines

    private func jsonLines() throws -> VectorTable {
        var table = VectorTable()
        try FileBytes(path: path).lines { bytes, line in
            guard let value = try? JSONValue(parsing: bytes), let id = value["id"]?.stringValue,
                let vector = value["vector"]?.arrayValue?.map({ $0.doubleValue })
            else { throw Failure("\(path) line \(line): {\"id\":\"…\",\"vector\":[…]} is expected.") }
            let numbers = try vector.map { number in
                guard let number else { throw Failure("\(path) line \(line): a vector holds numbers alone.") }
                return Float(number)
            }
            try add(id, numbers, line: line, to: &table)
        }
        return table
    }

    // MARK: numpy

    /// Format versions 1 to 3: magic, version, length of the header, a Python dictionary as text, the numbers.
    private func array() throws -> VectorTable {
        guard let idPath else { throw Failure("\(path) holds no ids: name the file that does.") }
        guard let file = FileManager.default.contents(atPath: absolutePath(path)) else { throw Failure("\(path) cannot be read.") }
        let bytes = [UInt8](file)
        guard bytes.count > 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else { throw Failure("\(path) is not a numpy array.") }
        let isLong = bytes[6] >= 2
        let length = Int(bytes[8]) | Int(bytes[9]) << 8 | (isLong ? Int(bytes[10]) << 16 | Int(bytes[11]) << 24 : 0)
        let start = (isLong ? 12 : 10) + length
        guard start <= bytes.count else { throw Failure("\(path) is cut off.") }
        let header = String(decoding: bytes[(isLong ? 12 : 10)..<start], as: UTF8.self).replacingOccurrences(of: " ", with: "")
        guard let isSingle = header.contains("'<f4'") ? true : header.contains("'<f8'") ? false : nil,
            header.contains("'fortran_order':False"), let shape = shape(header)
        else { throw Failure("\(path): a two-dimensional array of float32 or float64 in row order is expected.") }
        let width = isSingle ? 4 : 8
        guard bytes.count - start == shape.rows * shape.columns * width else {
            throw Failure("\(path) has another size than its header says.")
        }
        var table = VectorTable(dimensions: shape.columns)
        try FileBytes(path: idPath).lines { line, _ in table.ids.append(String(decoding: line, as: UTF8.self)) }
        guard table.ids.count == shape.rows else {
            throw Failure("\(idPath) has \(table.ids.count) ids for the \(shape.rows) rows of \(path).")
        }
        table.values = bytes.withUnsafeBytes { buffer in
            (0..<shape.rows * shape.columns).map { index in
                let at = start + index * width
                return isSingle
                    ? Float(bitPattern: UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
                    : Float(Double(bitPattern: UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: at, as: UInt64.self))))
            }
        }
        return table
    }

    private func shape(_ header: String) -> (rows: Int, columns: Int)? {
        guard let open = header.range(of: "'shape':("), let close = header[open.upperBound...].firstIndex(of: ")") else { return nil }
        let numbers = header[open.upperBound..<close].split(separator: ",").map { Int($0) }
        guard numbers.count == 2, let rows = numbers[0], let columns = numbers[1], (0...1 << 32).contains(rows),
            (1...1 << 20).contains(columns)
        else { return nil }
        return (rows, columns)
    }
}
