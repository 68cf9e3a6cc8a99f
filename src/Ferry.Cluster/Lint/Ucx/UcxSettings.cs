using System.Runtime.CompilerServices;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Ucx;

/// <summary>A process's <c>UCX_TLS</c>, read.</summary>
internal sealed record UcxSettings(ObservedProcess Process, SourcedText Value, UcxTls List)
{
    /// <summary>A process stands in as many pairs as it has peers; its list is read once.</summary>
    private static readonly ConditionalWeakTable<ObservedProcess, UcxSettings> Known = [];

    /// <summary>The processes of a cluster that set UCX_TLS to a known value, files of settings alone included.</summary>
    public static IEnumerable<UcxSettings> Of(ObservedCluster cluster) => cluster.Processes.Select(Of).OfType<UcxSettings>();

    /// <summary>Null when not set or not known.</summary>
    public static UcxSettings? Of(ObservedProcess process) =>
        process.Environment.Value("UCX_TLS") is { HasUnknown: false } value
            ? Known.GetValue(process, key => new UcxSettings(key, value, UcxTls.Parse(value.Value, null, VendorOf(key))))
            : null;

    /// <summary>One name of the list, as the file has it; the whole value if it cannot be found.</summary>
    public SourceSpan SpanOf(string written)
    {
        var at = 0;
        foreach (var name in Value.Value.Split(','))
        {
            if (name == written && name.Length > 0) { return Value.Slice(at, name.Length); }
            at += name.Length + 1;
        }
        return Value.Span;
    }

    /// <summary>Whether a name stands in an allowing list and has a transport that passes.</summary>
    public bool Names(Func<UcxTransport, bool> isWanted) => !List.Denies && !List.AllowsAll &&
        List.Entries.Any(entry => entry.Members.Any(member => UcxNames.TryTransport(member) is { } transport && isWanted(transport)));

    /// <summary>The names of the list whose transports pass.</summary>
    public IEnumerable<UcxTlsEntry> Entries(Func<UcxTransport, bool> isWanted) =>
        List.Entries.Where(entry => entry.Members.Any(member => UcxNames.TryTransport(member) is { } transport && isWanted(transport)));

    /// <summary>The list without the names that do not pass and with those that it needs.</summary>
    public string With(Func<UcxTlsEntry, bool> isKept, params IEnumerable<string> added) =>
        string.Join(',', List.Entries.Where(isKept).Select(entry => entry.Written.Trim()).Where(name => name.Length > 0).Union(added));

    private static UcxVendor VendorOf(ObservedProcess process) => process.Accelerator.Kind switch
    {
        AcceleratorKind.Rocm => UcxVendor.Amd,
        AcceleratorKind.Gaudi => UcxVendor.Gaudi,
        AcceleratorKind.Cuda => UcxVendor.Nvidia,
        _ => UcxVendor.Any,
    };
}
