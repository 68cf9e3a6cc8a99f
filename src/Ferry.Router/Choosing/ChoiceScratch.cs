using Ferry.Router.Prefixes;

namespace Ferry.Router.Choosing;

/// <summary>Arrays that a choice needs for its own duration: one set a thread, so that choosing allocates nothing.</summary>
internal sealed class ChoiceScratch
{
    [ThreadStatic]
    private static ChoiceScratch? t_own;

    private ChoiceScratch()
    {
    }

    public static ChoiceScratch Own => t_own ??= new ChoiceScratch();

    public Node[] Candidates { get; private set; } = [];

    /// <summary>By candidate: hit tokens, weighted by tier.</summary>
    public double[] Weighted { get; private set; } = [];

    /// <summary>By candidate: hit tokens as they are.</summary>
    public int[] Hits { get; private set; } = [];

    public PrefixHit[] BySlot { get; private set; } = [];

    public ulong[] Asked { get; private set; } = [];

    public ulong[] Eventful { get; private set; } = [];

    public void Fit(int nodes, PrefixIndex? index)
    {
        if (Candidates.Length < nodes)
        {
            Candidates = new Node[nodes];
            Weighted = new double[nodes];
            Hits = new int[nodes];
        }
        if (index is not null && Asked.Length != index.Words)
        {
            Asked = new ulong[index.Words];
            Eventful = new ulong[index.Words];
            BySlot = new PrefixHit[index.MaxNodes];
        }
    }
}
