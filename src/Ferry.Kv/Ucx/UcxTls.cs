namespace Ferry.Kv.Ucx;

/// <summary>What a UCX_TLS value means, by UCX's own grammar (ucs/config/parser.c, ucp_context.c), and what is wrong with it.</summary>
/// <remarks>
/// A comma list, case-sensitive, without spaces; the order means nothing. <c>^</c> in front denies the whole list; <c>all</c> stands alone;
/// <c>\name</c> is the exact transport and no alias; <c>name:aux</c> lets it make connections and carry no data. UCX itself only warns of
/// names that it does not know and goes on with the rest, which is how a list for RDMA comes to run without it: here they are errors.
/// </remarks>
public sealed class UcxTls
{
    /// <summary>Longer values are not read.</summary>
    public const int CharactersMax = 1024;

    private readonly HashSet<string> _data;
    private readonly HashSet<string> _auxiliary;

    internal UcxTls(
        string? text, UcxVersion version, bool denies, IReadOnlyList<UcxTlsEntry> entries, IReadOnlyList<UcxTlsProblem> problems,
        HashSet<string> data, HashSet<string> auxiliary)
    {
        Text = text;
        Version = version;
        Denies = denies;
        Entries = entries;
        Problems = problems;
        _data = data;
        _auxiliary = auxiliary;
    }

    /// <summary>As given; null when it is not set.</summary>
    public string? Text { get; }

    /// <summary>The release by whose tables it was read.</summary>
    public UcxVersion Version { get; }

    /// <summary>True for a list behind <c>^</c>.</summary>
    public bool Denies { get; }

    /// <summary>The names in their order; empty when not set and for <c>all</c>.</summary>
    public IReadOnlyList<UcxTlsEntry> Entries { get; }

    /// <summary>All problems, in the order of the list.</summary>
    public IReadOnlyList<UcxTlsProblem> Problems { get; }

    public bool HasErrors => Problems.Any(problem => problem.IsError);

    /// <summary>True if every transport is allowed.</summary>
    public bool AllowsAll => Text is null or "all";

    /// <summary>Transports of the release that may carry data.</summary>
    public IReadOnlyCollection<string> Transports => _data;

    /// <summary>Whether a transport may carry data.</summary>
    public bool Allows(string transport) => _data.Contains(transport);

    /// <summary>Whether a transport may make connections, for data or not.</summary>
    public bool AllowsAuxiliary(string transport) => _data.Contains(transport) || _auxiliary.Contains(transport);

    /// <summary>Whether any transport of this kind may carry data.</summary>
    public bool Allows(UcxTransportKind kind) => _data.Any(name => UcxNames.TryTransport(name)!.Kind == kind);

    /// <summary>Whether one of the transports can carry NIXL's connections (<see cref="UcxTransport.CarriesMessages"/>).</summary>
    public bool CarriesMessages => _data.Any(name => UcxNames.TryTransport(name)!.CarriesMessages);

    /// <summary>Reads a value.</summary>
    /// <param name="text">As in the environment; null when it is not set.</param>
    /// <param name="version">The release that will read it; null for the newest, whose names include the older ones'.</param>
    /// <param name="vendor">The accelerator of the node; <see cref="UcxVendor.Any"/> lets every vendor's names pass.</param>
    public static UcxTls Parse(string? text, UcxVersion? version = null, UcxVendor vendor = UcxVendor.Any) =>
        new UcxTlsParser(text, version ?? UcxVersion.Newest, vendor).Parse();

    public override string ToString() => Text ?? "(not set)";
}
