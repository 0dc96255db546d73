import Glibc
import Synchronization

/// The cells of one process: a file of fixed size, mapped shared, so that other processes can read it at any time and
/// its numbers outlive the process.
///
/// Layout: 256 bytes a slot; the value as UInt64, the length of the name as UInt64 (0 while the slot is free), the name.
/// A lock on the file is held as long as the process lives: who can take it knows that the owner is dead.
///
/// The memory is only touched through atomics, save for names, which are written once before their length is
/// published: hence `@unchecked Sendable` around the pointer.
final class MetricsFile: @unchecked Sendable {
    static let slotBytes = 256
    static let slotCount = 2048
    static let nameLimit = slotBytes - 16

    private let memory: UnsafeMutableRawPointer
    private let descriptor: Int32

    /// Falls back to private memory when the folder takes no file: then only this process sees its numbers.
    init(path: String?) {
        let size = Self.slotBytes * Self.slotCount
        let descriptor = path.map { open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o640) } ?? -1
        // Without allocated blocks a full disk would end the process at the first touch of a page.
        let isUsable = descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0 && posix_fallocate(descriptor, 0, size) == 0
        let mapped = isUsable ? mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : nil
        if let mapped, mapped != MAP_FAILED {
            memory = mapped
            self.descriptor = descriptor
        } else {
            if descriptor >= 0 { close(descriptor) }
            if descriptor >= 0, let path { unlink(path) }
            memory = .allocate(byteCount: size, alignment: 64)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            self.descriptor = -1
        }
    }

    deinit {
        if descriptor >= 0 {
            munmap(memory, Self.slotBytes * Self.slotCount)
            close(descriptor)
        } else {
            memory.deallocate()
        }
    }

    var isShared: Bool { descriptor >= 0 }

    private func word(_ slot: Int, _ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (memory + slot * Self.slotBytes + index * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// Gives a free slot its name; the caller sees to it that each slot is named once.
    func name(_ slot: Int, _ name: [UInt8]) {
        (memory + slot * Self.slotBytes + 16).copyMemory(from: name, byteCount: min(name.count, Self.nameLimit))
        word(slot, 1).pointee.store(UInt64(min(name.count, Self.nameLimit)), ordering: .releasing)
    }

    func add(_ amount: UInt64, to slot: Int) {
        word(slot, 0).pointee.wrappingAdd(amount, ordering: .relaxed)
    }

    /// Names and values so far.
    func values() -> [String: UInt64] {
        Self.values(in: UnsafeRawBufferPointer(start: memory, count: Self.slotBytes * Self.slotCount))
    }

    /// Reads the bytes of a file of this layout, its own or another process's.
    static func values(in bytes: UnsafeRawBufferPointer) -> [String: UInt64] {
        var values: [String: UInt64] = [:]
        for slot in 0..<min(slotCount, bytes.count / slotBytes) {
            let start = slot * slotBytes
            let length = bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self)
            guard length > 0, length <= UInt64(nameLimit) else { break }
            let name = String(decoding: bytes[(start + 16)..<(start + 16 + Int(length))], as: UTF8.self)
            values[name, default: 0] &+= bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
        }
        return values
    }
}
