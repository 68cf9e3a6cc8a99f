using Ferry.Kv.Ucx;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Ucx;

/// <summary>What a peer is told in the handshake: which UCX, how its worker is reached, and some bytes to read for a trial.</summary>
/// <param name="Version">Addresses and keys of one release are not understood by another; some mixtures abort the process that tries.</param>
/// <param name="ProbeAddress">Of <paramref name="ProbeToken"/> in the peer's memory.</param>
/// <param name="ProbeKey">Lets a reader at it.</param>
/// <param name="Worker">ucp_worker_get_address's.</param>
internal sealed record UcxAddress(UcxVersion Version, ulong ProbeAddress, UInt128 ProbeToken, ReadOnlyMemory<byte> ProbeKey, ReadOnlyMemory<byte> Worker)
{
    public const int ProbeBytes = 16;

    private const byte FormVersion = 1;

    /// <summary>1 form, 1 reserved, 2 major, 2 minor, 8 probe address, 16 token, 2 + probe key, 2 + worker address; little-endian.</summary>
    /// <returns>Null if it is longer than the handshake takes: a host with very many network devices.</returns>
    public byte[]? TryEncode()
    {
        var writer = new WireWriter();
        writer.Byte(FormVersion);
        writer.Byte(0);
        writer.UInt16((ushort)Version.Major);
        writer.UInt16((ushort)Version.Minor);
        writer.UInt64(ProbeAddress);
        writer.UInt128(ProbeToken);
        writer.UInt16((ushort)ProbeKey.Length);
        writer.Bytes(ProbeKey.Span);
        writer.UInt16((ushort)Worker.Length);
        writer.Bytes(Worker.Span);
        return writer.Written.Length <= MediumAddress.AddressBytesMax ? writer.Written.ToArray() : null;
    }

    /// <summary>Null for bytes that are not exactly one address.</summary>
    public static UcxAddress? Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var form = reader.Byte();
        var reserved = reader.Byte();
        var version = new UcxVersion(reader.UInt16(), reader.UInt16());
        var probeAddress = reader.UInt64();
        var token = reader.UInt128();
        var key = reader.Bytes(reader.UInt16()).ToArray();
        var worker = reader.Bytes(reader.UInt16()).ToArray();
        return reader.IsComplete && form == FormVersion && reserved == 0 && probeAddress != 0 && key.Length > 0 && worker.Length > 0
            ? new UcxAddress(version, probeAddress, token, key, worker)
            : null;
    }
}
