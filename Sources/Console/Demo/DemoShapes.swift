/// The shapes of the demo shop's products, one list of layers per category in the order of `DemoCategory.all`.
enum DemoShapes {
    static let all: [[DemoPicture.Layer]] = [
        // Teapots
        [
            .init(tone: .dark, path: "M86 66c14-6 18 18-4 22", line: 6), .init(tone: .dark, path: "M34 74L18 54l8-4 14 14z"),
            .init(tone: .main, path: "M32 76c0-18 12-30 28-30s28 12 28 30-10 26-28 26-28-8-28-26z"),
            .init(tone: .light, path: "M42 48c4-8 32-8 36 0z"), .init(tone: .accent, path: "M60 28a6 6 0 1 1 0 12 6 6 0 0 1 0-12z"),
        ],
        // Mugs
        [
            .init(tone: .dark, path: "M80 54c20-4 20 30 0 28", line: 7),
            .init(tone: .main, path: "M34 40h48v46c0 10-6 16-14 16H48c-8 0-14-6-14-16z"), .init(tone: .accent, path: "M34 58h48v12H34z"),
            .init(tone: .light, path: "M34 36h48v8H34z"),
        ],
        // Pans
        [
            .init(tone: .dark, path: "M84 60l28-18", line: 8),
            .init(tone: .main, path: "M14 64h76c0 22-12 36-30 36H44C26 100 14 86 14 64z"),
            .init(tone: .light, path: "M14 58h76v8H14z"), .init(tone: .accent, path: "M40 46c0-10 8-8 8-16M56 46c0-10 8-8 8-16", line: 4),
        ],
        // Kitchen knives
        [
            .init(tone: .light, path: "M18 84L84 18c8 10 4 26-8 36L46 80c-8 8-18 8-28 4z"),
            .init(tone: .dark, path: "M52 74l12 12-20 20c-8 4-14-4-10-12z"), .init(tone: .accent, path: "M50 72l14 14-5 5-14-14z"),
        ],
        // Armchairs
        [
            .init(tone: .dark, path: "M34 92v12M86 92v12", line: 6), .init(tone: .main, path: "M34 66V40c0-10 8-14 26-14s26 4 26 14v26z"),
            .init(tone: .light, path: "M30 66h60v16H30z"),
            .init(tone: .main, path: "M18 60c0-10 16-10 16 0v18h52V60c0-10 16-10 16 0v34H18z"),
            .init(tone: .accent, path: "M48 44h24v20H48z"),
        ],
        // Cushions
        [
            .init(tone: .main, path: "M22 36c12 6 64 6 76 0-6 14-6 48 0 64-14-6-62-6-76 0 6-16 6-50 0-64z"),
            .init(tone: .light, path: "M38 52c8 3 36 3 44 0-3 8-3 24 0 32-8-3-36-3-44 0 3-8 3-24 0-32z"),
            .init(tone: .accent, path: "M60 60a8 8 0 1 1 0 16 8 8 0 0 1 0-16z"),
        ],
        // Rugs
        [
            .init(
                tone: .dark,
                path: "M30 34v-8M42 34v-8M54 34v-8M66 34v-8M78 34v-8M90 34v-8M30 104v-8M42 104v-8M54 104v-8M66 104v-8M78 104v-8M90 104v-8",
                line: 3),
            .init(tone: .main, path: "M24 32h72v66H24z"), .init(tone: .light, path: "M32 40h56v50H32z"),
            .init(tone: .accent, path: "M60 44l20 21-20 21-20-21z"), .init(tone: .dark, path: "M60 55l10 10-10 10-10-10z"),
        ],
        // Floor lamps
        [
            .init(tone: .dark, path: "M60 50v50M44 102h32", line: 5), .init(tone: .main, path: "M46 18h28l14 36H32z"),
            .init(tone: .light, path: "M46 18h12L48 54H32z"), .init(tone: .accent, path: "M53 56h14c0 10-14 10-14 0z"),
        ],
        // House plants
        [
            .init(tone: .main, path: "M60 70C36 70 26 52 26 34c20 0 34 12 34 36z"),
            .init(tone: .light, path: "M60 70c24 0 34-14 34-34-20 0-34 14-34 34z"),
            .init(tone: .dark, path: "M60 72c-8-18-6-38 2-52 10 14 10 36-2 52z"), .init(tone: .accent, path: "M42 70h36l-5 32H47z"),
        ],
        // Plant pots
        [
            .init(tone: .main, path: "M32 54h56l-8 48H40z"), .init(tone: .light, path: "M26 40h68v16H26z"),
            .init(tone: .accent, path: "M38 72h44l-2 10H40z"),
            .init(tone: .dark, path: "M60 40V22M60 30c6-8 12-8 16-8-2 8-8 10-16 10", line: 4),
        ],
        // Desk lamps
        [
            .init(tone: .dark, path: "M46 98L34 68l34-26", line: 5), .init(tone: .main, path: "M62 24l34 22-10 14c-10 2-26-8-30-20z"),
            .init(tone: .accent, path: "M70 52c4 6 10 8 14 6-2 10-16 6-14-6z"), .init(tone: .light, path: "M26 96h44v8H26z"),
        ],
        // Wall clocks
        [
            .init(tone: .main, path: "M60 20a40 40 0 1 1 0 80 40 40 0 0 1 0-80z"),
            .init(tone: .light, path: "M60 28a32 32 0 1 1 0 64 32 32 0 0 1 0-64z"),
            .init(tone: .dark, path: "M60 40v21l15 9M60 32v3M60 85v3M32 60h3M85 60h3", line: 4),
            .init(tone: .accent, path: "M60 56a4 4 0 1 1 0 8 4 4 0 0 1 0-8z"),
        ],
        // Notebooks
        [
            .init(tone: .light, path: "M38 24h52v78H38z"), .init(tone: .main, path: "M32 20h50c4 0 6 2 6 6v68c0 4-2 6-6 6H32z"),
            .init(tone: .dark, path: "M32 20h10v80H32z"), .init(tone: .accent, path: "M70 20h8v80h-8z"),
            .init(tone: .light, path: "M48 34h16v8H48z"),
        ],
        // Fountain pens
        [
            .init(tone: .main, path: "M82 16l22 22-48 48-22-22z"), .init(tone: .light, path: "M34 64l22 22-34 16c-4 0-6-2-6-6z"),
            .init(tone: .accent, path: "M40 58l22 22-6 6-22-22z"), .init(tone: .dark, path: "M18 100l20-18M86 22l12 12", line: 3),
        ],
        // Headphones
        [
            .init(tone: .dark, path: "M28 72V62a32 32 0 0 1 64 0v10", line: 7),
            .init(tone: .main, path: "M18 68h16c4 0 6 2 6 6v20c0 4-2 6-6 6-10 0-16-8-16-18z"),
            .init(tone: .main, path: "M102 68H86c-4 0-6 2-6 6v20c0 4 2 6 6 6 10 0 16-8 16-18z"),
            .init(tone: .accent, path: "M34 70h8v28h-8zM78 70h8v28h-8z"),
        ],
        // Speakers
        [
            .init(tone: .main, path: "M36 18h48c4 0 6 2 6 6v72c0 4-2 6-6 6H36c-4 0-6-2-6-6V24c0-4 2-6 6-6z"),
            .init(tone: .dark, path: "M60 54a20 20 0 1 1 0 40 20 20 0 0 1 0-40zM60 26a9 9 0 1 1 0 18 9 9 0 0 1 0-18z"),
            .init(tone: .light, path: "M60 62a12 12 0 1 1 0 24 12 12 0 0 1 0-24z"),
            .init(tone: .accent, path: "M60 68a6 6 0 1 1 0 12 6 6 0 0 1 0-12z"),
        ],
        // Backpacks
        [
            .init(tone: .dark, path: "M48 28c0-14 24-14 24 0", line: 5),
            .init(tone: .main, path: "M30 46c0-14 12-22 30-22s30 8 30 22v48c0 6-4 8-8 8H38c-4 0-8-2-8-8z"),
            .init(tone: .light, path: "M40 66h40v26H40z"), .init(tone: .accent, path: "M40 66h40v8H40z"),
            .init(tone: .dark, path: "M44 44h32M60 74v6", line: 4),
        ],
        // Water bottles
        [
            .init(tone: .main, path: "M46 42h28c6 6 8 10 8 18v34c0 6-4 8-8 8H46c-4 0-8-2-8-8V60c0-8 2-12 8-18z"),
            .init(tone: .dark, path: "M50 16h20v14H50z"), .init(tone: .light, path: "M48 30h24v12H48z"),
            .init(tone: .accent, path: "M38 64h44v18H38z"),
        ],
        // Tents
        [
            .init(tone: .main, path: "M60 24l50 78H10z"), .init(tone: .light, path: "M60 24L10 102h22z"),
            .init(tone: .dark, path: "M60 50l20 52H40z"),
            .init(tone: .accent, path: "M60 24l16-8v10z"),
        ],
        // Head torches
        [
            .init(tone: .dark, path: "M18 66c0-46 84-46 84 0", line: 9),
            .init(tone: .main, path: "M40 56h40c4 0 6 2 6 6v26c0 4-2 6-6 6H40c-4 0-6-2-6-6V62c0-4 2-6 6-6z"),
            .init(tone: .light, path: "M60 60a15 15 0 1 1 0 30 15 15 0 0 1 0-30z"),
            .init(tone: .accent, path: "M60 67a8 8 0 1 1 0 16 8 8 0 0 1 0-16z"),
        ],
        // Sneakers
        [
            .init(tone: .main, path: "M16 60c10 4 18 0 24-14 8 12 20 22 40 26 14 2 24 6 24 20H16z"),
            .init(tone: .light, path: "M14 90h92v6c0 4-2 6-6 6H20c-4 0-6-2-6-6z"),
            .init(tone: .accent, path: "M18 76c14 0 24 4 32 14H18z"), .init(tone: .dark, path: "M50 62l10-6M58 70l10-6M66 76l9-6", line: 4),
        ],
        // Socks
        [
            .init(tone: .main, path: "M46 18h30v44c0 6 2 8 8 12 12 8 8 26-8 26-8 0-14-2-20-8L42 76c-4-4 4-10 4-18z"),
            .init(tone: .accent, path: "M46 18h30v12H46zM46 40h30v8H46z"),
            .init(tone: .light, path: "M80 72c14 6 12 28-4 28-8 0-8-22 4-28z"),
        ],
        // Raincoats
        [
            .init(tone: .dark, path: "M46 30c0-18 28-18 28 0l-14 12z"),
            .init(tone: .main, path: "M46 28l14 12 14-12 26 34-12 10-8-8v38H40V64l-8 8-12-10z"),
            .init(tone: .light, path: "M56 40h8v62h-8z"), .init(tone: .accent, path: "M44 76h8v10h-8zM68 76h8v10h-8z"),
        ],
        // Umbrellas
        [
            .init(tone: .dark, path: "M60 20v70c0 14 18 14 18 0", line: 5),
            .init(tone: .main, path: "M14 64c0-26 20-42 46-42s46 16 46 42c-8-8-20-8-28 0-8-8-28-8-36 0-8-8-20-8-28 0z"),
            .init(tone: .light, path: "M42 64c0-24 8-38 18-42 10 4 18 18 18 42-8-8-28-8-36 0z"),
            .init(tone: .accent, path: "M58 12h4v12h-4z"),
        ],
    ]
}
