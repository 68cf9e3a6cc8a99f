using Ferry.Kv.Ucx;
using Ferry.Transfer.Ucx;

namespace Ferry.Transfer.Host;

/// <summary>The UCX of this machine and what it can use here.</summary>
/// <param name="Release">Such as 1.13.1; null if there is none.</param>
/// <param name="Path">What was loaded.</param>
/// <param name="Reason">Why there is none, and the way out; empty else.</param>
/// <param name="Resources">Every transport with a device, whatever UCX_TLS says, as <c>tcp/eth0</c>.</param>
/// <param name="MemoryTypes">Memory that this release can be told of: <c>host</c>, <c>rocm</c>…</param>
public sealed record UcxFacts(string? Release, string? Path, string Reason, IReadOnlyList<string> Resources, IReadOnlyList<string> MemoryTypes)
{
    public UcxVersion? Version => UcxVersion.TryParse(Release);

    /// <summary>Loads the library and asks it.</summary>
    public static UcxFacts Read()
    {
        if (UcxLibrary.TryLoad(out var reason) is not { } library)
        {
            return new UcxFacts(null, null, reason, [], []);
        }
        try
        {
            using var context = UcxContext.Create(new UcxOptions { Transports = "all" });
            return new UcxFacts(library.Release, library.Path, string.Empty, context.Resources(), library.Api.MemoryTypeNames());
        }
        catch (Exception exception) when (exception is TransferConfigurationException or UcxException)
        {
            return new UcxFacts(library.Release, library.Path, exception.Message, [], []);
        }
    }

    /// <summary>Resources of one kind that a UCX_TLS leaves.</summary>
    public IEnumerable<string> Usable(UcxTls tls, UcxTransportKind kind) =>
        Resources.Where(resource => NameOf(resource) is var name && tls.Allows(name) && UcxNames.TryTransport(name)?.Kind == kind);

    /// <summary>The transport of a resource.</summary>
    public static string NameOf(string resource) => resource.Split('/')[0];
}
