using Ferry.Kv.Ucx;

namespace Ferry.Transfer.Nixl;

/// <summary>Whether two UCX releases may be let at each other's addresses. Asked before one is touched: some mixtures abort the process that is asked.</summary>
internal static class UcxCompatibility
{
    /// <summary>The connection entry in which a Ferry agent says its UCX; NIXL passes over entries of backends that it does not have.</summary>
    public const string VersionBackend = "FERRY";

    private const string VersionPrefix = "ucx=";

    /// <summary>From this release on keys of tcp and cma have the form that NIXL 1.x loads; what older ones pack a newer one refuses.</summary>
    private static readonly UcxVersion SinceStableKeys = new(1, 19);

    public static NixlConnection Tell(UcxVersion own) =>
        new(VersionBackend, System.Text.Encoding.ASCII.GetBytes($"{VersionPrefix}{own}"));

    /// <summary>What an agent says of its UCX; null for one that says nothing, as NIXL's own.</summary>
    public static UcxVersion? ReadFrom(NixlMetadata metadata)
    {
        var text = metadata.ConnectionOf(VersionBackend) is { } told ? System.Text.Encoding.ASCII.GetString(told.Info.Span) : null;
        return text?.StartsWith(VersionPrefix, StringComparison.Ordinal) == true ? UcxVersion.TryParse(text[VersionPrefix.Length..]) : null;
    }

    /// <summary>Why the two must not meet, with the way out; null when they may.</summary>
    /// <param name="peer">Null when nobody said.</param>
    public static string? FindObjection(UcxVersion own, UcxVersion? peer)
    {
        if (peer is not { } other)
        {
            return "NIXL's metadata does not say which UCX the peer has, and some mixtures abort the process that is asked. Look with ucx_info -v on the peer, and say it (PeerUcxVersion).";
        }
        if (own == other || (own >= SinceStableKeys && other >= SinceStableKeys && own.Major == other.Major))
        {
            return null;
        }
        var behind = own < SinceStableKeys ? $"this node's UCX {own}" : $"the peer's UCX {other}";
        return own.Major != other.Major
            ? $"UCX {own} here and {other} at the peer do not speak one protocol. Install one release on both."
            : $"{behind} is older than {SinceStableKeys}, and its addresses and keys are not those of the other side (UCX {own} here, {other} there). "
                + $"Install one release on both, {SinceStableKeys} or newer; {Ucx.UcxLibrary.PathVariable} names another libucp.so.0 for this process.";
    }
}
