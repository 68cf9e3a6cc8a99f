namespace Ferry.Cluster.Spec;

/// <summary>What goes first when a tier is full.</summary>
public enum CachePolicy
{
    [SpecName("lru", "least recently used")]
    Lru,

    [SpecName("lfu", "least often used")]
    Lfu,

    [SpecName("fifo", "oldest")]
    Fifo,

    [SpecName("mru", "most recently used")]
    Mru,

    [SpecName("s3fifo", "three queues: what was used once goes soon")]
    S3Fifo,
}
