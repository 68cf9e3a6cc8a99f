namespace Ferry.Cluster.Diagnosis;

/// <summary>By what the logs of each component are known, so that a diagnosis can say whose log is missing.</summary>
internal static class LogVoices
{
    public const string Prefill = "prefill";
    public const string Decode = "decode";

    private static readonly (string Voice, string Literal)[] Known =
    [
        ("vLLM", "EngineCore"),
        ("vLLM", "vllm serve"),
        ("vLLM", "[nixl_connector.py"),
        ("LMCache", "LMCache INFO"),
        ("LMCache", "LMCache WARNING"),
        ("NIXL", "NIXL INFO"),
        ("UCX", " UCX  "),
        ("Ferry", ": Ferry."),
        (Prefill, "kv_producer"),
        (Decode, "kv_consumer"),
        ("Ceph", "cluster ["),
        ("RDMA", "/infiniband"),
        ("RDMA", "link mlx5_"),
        ("RDMA", "CA type:"),
    ];

    public static int Count => Known.Length;

    public static string NameOf(int index) => Known[index].Voice;

    /// <summary>Marks what is heard in a piece of a log; what was heard before is not looked for again.</summary>
    public static void Listen(ReadOnlySpan<char> text, Span<bool> heard)
    {
        for (var index = 0; index < Known.Length; index++)
        {
            heard[index] = heard[index] || text.Contains(Known[index].Literal, StringComparison.Ordinal);
        }
    }
}
