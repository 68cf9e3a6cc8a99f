namespace Ferry.Cluster.Spec;

/// <summary>The exchange of a node. Sizes mean the node: all ranks together.</summary>
public sealed record CacheSpec
{
    [SpecKey("chunkTokens", "Tokens of one chunk; a multiple of every pool's block.", Minimum = 1, Maximum = 65_536)]
    public int ChunkTokens { get; init; } = 256;

    [SpecKey("policy", "What goes first when a tier is full.")]
    public CachePolicy Policy { get; init; } = CachePolicy.Lru;

    [SpecKey("memory", "Memory tier of a node, all ranks together (LMCache's own sizes are per rank).", Unit = SpecUnit.Bytes, Minimum = 1 << 20, Maximum = 1L << 50)]
    public long MemoryBytes { get; init; } = 4L << 30;

    [SpecKey("disk", "Disk tier of a node, all ranks together; 0: none.", Unit = SpecUnit.Bytes, Minimum = 0, Maximum = 1L << 60)]
    public long DiskBytes { get; init; }

    [SpecKey("diskPath", "Directory of the disk tier on the node.", Pattern = @"/[^\s'""$`\\]*", PatternText = "an absolute path without blanks and quotes")]
    public string DiskPath { get; init; } = "/var/lib/ferry/cache";

    [SpecKey("saveDecode", "KV of generated tokens is kept, too: later turns of a conversation find it.")]
    public bool SaveDecode { get; init; }

    [SpecKey("saveUnfullChunk", "The last, unfull chunk of a prompt is kept, too.")]
    public bool SaveUnfullChunk { get; init; } = true;

    [SpecKey("convert", "Shards of another tensor-parallel size, dtype or layout are converted on reading.")]
    public bool Convert { get; init; } = true;

    [SpecKey("hashSeed", "PYTHONHASHSEED of every engine; without one equal seed nothing is shared.", Pattern = "[0-9]{1,10}", PatternText = "a number of 0..4294967295")]
    public string HashSeed { get; init; } = "0";

    [SpecKey("respPort", "Port at which an exchange serves its own node's engine and the other exchanges (RESP).", Minimum = 1, Maximum = 65_535)]
    public int RespPort { get; init; } = 6390;

    [SpecKey("adminPort", "Port of an exchange's metrics and health.", Minimum = 1, Maximum = 65_535)]
    public int AdminPort { get; init; } = 6391;

    [SpecKey("password", "Password that RESP clients must give.")]
    public SecretSpec? Password { get; init; }

    [SpecKey("image", "Container image of Ferry: exchanges and router.", Pattern = @"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}", PatternText = "an image reference")]
    public string Image { get; init; } = "ferry:0.1.0";
}
