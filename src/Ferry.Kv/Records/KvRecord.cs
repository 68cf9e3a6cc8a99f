using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Ferry.Kv.Hashing;
using Ferry.Kv.Layout;
using Ferry.Kv.Text;

namespace Ferry.Kv.Records;

/// <summary>A shard's payload with a header before it: one contiguous byte string, the same in memory, on disk and on the wire.</summary>
/// <remarks>Little-endian, fixed offsets (<see cref="KvRecordFields"/>), described with golden bytes in docs/wire/record.md.</remarks>
public static class KvRecord
{
    /// <summary>Bytes of every header of this version. The payload follows at once, so it lies at a multiple of 64 bytes if the record does.</summary>
    public const int HeaderBytes = 1024;

    public const int MaxSaltBytes = 128;
    public const int MaxClientKeyBytes = 512;
    public const int MaxClientNoteBytes = 64;

    /// <summary>The one version that this build writes and reads.</summary>
    public const ushort Version = 1;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The line feed at its end shows a record that was carried as text.</summary>
    public static ReadOnlySpan<byte> Magic => "FERRYKV\n"u8;

    /// <summary>XXH3-128 with seed 0, as a number: it finds damage, not forgery.</summary>
    public static UInt128 Checksum(ReadOnlySpan<byte> bytes) => RecordChecksum.Of(bytes);

    /// <summary>Writes exactly <see cref="HeaderBytes"/> bytes to the front of <paramref name="destination"/>.</summary>
    /// <exception cref="ArgumentException">The destination is too short, or a field of the header has no place in it.</exception>
    /// <exception cref="KvLayoutException">The layout contradicts itself, or the payload length is not the layout's.</exception>
    public static void Write(KvRecordHeader header, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (destination.Length < HeaderBytes)
        {
            throw new ArgumentException($"A record header needs {HeaderBytes} bytes; the destination has {destination.Length}.", nameof(destination));
        }
        var saltBytes = CheckFields(header);
        var bytes = destination[..HeaderBytes];
        bytes.Clear();
        Magic.CopyTo(KvRecordFields.Magic.In(bytes));
        BinaryPrimitives.WriteUInt16LittleEndian(KvRecordFields.Version.In(bytes), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(KvRecordFields.HeaderBytes.In(bytes), HeaderBytes);
        WriteLayout(header.Layout, bytes);
        BinaryPrimitives.WriteInt32LittleEndian(KvRecordFields.FirstToken.In(bytes), header.FirstToken);
        BinaryPrimitives.WriteInt64LittleEndian(KvRecordFields.PayloadBytes.In(bytes), header.PayloadBytes);
        BinaryPrimitives.WriteUInt128LittleEndian(KvRecordFields.Model.In(bytes), header.Model);
        BinaryPrimitives.WriteUInt128LittleEndian(KvRecordFields.PayloadChecksum.In(bytes), header.PayloadChecksum);
        KvRecordFields.HashBytes.In(bytes)[0] = (byte)header.Hash.ByteCount;
        KvRecordFields.SaltBytes.In(bytes)[0] = (byte)saltBytes;
        header.Hash.CopyTo(KvRecordFields.Hash.In(bytes));
        StrictUtf8.GetBytes(header.Salt, KvRecordFields.Salt.In(bytes));
        BinaryPrimitives.WriteUInt16LittleEndian(KvRecordFields.ClientKeyBytes.In(bytes), (ushort)header.ClientKey.Length);
        KvRecordFields.ClientNoteBytes.In(bytes)[0] = (byte)header.ClientNote.Length;
        header.ClientKey.Span.CopyTo(KvRecordFields.ClientKey.In(bytes));
        header.ClientNote.Span.CopyTo(KvRecordFields.ClientNote.In(bytes));
        BinaryPrimitives.WriteUInt128LittleEndian(KvRecordFields.HeaderChecksum.In(bytes), HeaderChecksum(bytes));
    }

    /// <summary>Reads the header at the front of <paramref name="bytes"/>, which may be any bytes of any length: never throws.</summary>
    /// <param name="error">The first check that failed.</param>
    public static bool TryReadHeader(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out KvRecordHeader? header, out KvRecordError error)
    {
        header = null;
        error = CheckFrame(bytes);
        if (error != KvRecordError.None) { return false; }
        bytes = bytes[..HeaderBytes];

        var payloadBytes = BinaryPrimitives.ReadInt64LittleEndian(KvRecordFields.PayloadBytes.In(bytes));
        var layout = ReadLayout(bytes, payloadBytes);
        if (layout is null || layout.FindErrors().Count > 0) { error = KvRecordError.Layout; return false; }

        var firstToken = BinaryPrimitives.ReadInt32LittleEndian(KvRecordFields.FirstToken.In(bytes));
        if (firstToken < 0 || firstToken > int.MaxValue - layout.Tokens) { error = KvRecordError.TokenSpan; return false; }

        if (payloadBytes != layout.PayloadBytes) { error = KvRecordError.PayloadLength; return false; }

        int hashBytes = KvRecordFields.HashBytes.In(bytes)[0];
        var hash = KvRecordFields.Hash.In(bytes);
        if (hashBytes is 0 or > ChunkHash.MaxBytes || hash[hashBytes..].ContainsAnyExcept((byte)0)) { error = KvRecordError.Hash; return false; }

        if (!TryReadSalt(bytes, out var salt)) { error = KvRecordError.Salt; return false; }

        if (!TryReadText(bytes, BinaryPrimitives.ReadUInt16LittleEndian(KvRecordFields.ClientKeyBytes.In(bytes)), KvRecordFields.ClientKey, out var clientKey)
            || !TryReadText(bytes, KvRecordFields.ClientNoteBytes.In(bytes)[0], KvRecordFields.ClientNote, out var clientNote))
        {
            error = KvRecordError.ClientKey;
            return false;
        }

        if (KvRecordFields.Flags.In(bytes).ContainsAnyExcept((byte)0) || KvRecordFields.Padding.In(bytes).ContainsAnyExcept((byte)0)
            || KvRecordFields.Reserved.In(bytes).ContainsAnyExcept((byte)0))
        {
            error = KvRecordError.Reserved;
            return false;
        }
        header = new KvRecordHeader(
            layout, BinaryPrimitives.ReadUInt128LittleEndian(KvRecordFields.Model.In(bytes)), firstToken, new ChunkHash(hash[..hashBytes]), salt,
            payloadBytes, BinaryPrimitives.ReadUInt128LittleEndian(KvRecordFields.PayloadChecksum.In(bytes)))
        {
            ClientKey = clientKey,
            ClientNote = clientNote,
        };
        return true;
    }

    /// <summary>Reads the header of a record that this process wrote or proved before and has kept since, without proving it again.</summary>
    /// <param name="layout">As it was when the record was proved.</param>
    public static KvRecordHeader ReadTrusted(ReadOnlySpan<byte> record, KvLayout layout)
    {
        var bytes = record[..HeaderBytes];
        var hashBytes = Math.Clamp((int)KvRecordFields.HashBytes.In(bytes)[0], 1, ChunkHash.MaxBytes);
        var saltBytes = Math.Min((int)KvRecordFields.SaltBytes.In(bytes)[0], MaxSaltBytes);
        TryReadText(bytes, BinaryPrimitives.ReadUInt16LittleEndian(KvRecordFields.ClientKeyBytes.In(bytes)), KvRecordFields.ClientKey, out var clientKey);
        TryReadText(bytes, KvRecordFields.ClientNoteBytes.In(bytes)[0], KvRecordFields.ClientNote, out var clientNote);
        return new KvRecordHeader(
            layout, BinaryPrimitives.ReadUInt128LittleEndian(KvRecordFields.Model.In(bytes)), BinaryPrimitives.ReadInt32LittleEndian(KvRecordFields.FirstToken.In(bytes)),
            new ChunkHash(KvRecordFields.Hash.In(bytes)[..hashBytes]), Encoding.UTF8.GetString(KvRecordFields.Salt.In(bytes)[..saltBytes]),
            record.Length - HeaderBytes, BinaryPrimitives.ReadUInt128LittleEndian(KvRecordFields.PayloadChecksum.In(bytes)))
        {
            ClientKey = clientKey,
            ClientNote = clientNote,
        };
    }

    /// <summary>Reads a whole record, exactly <paramref name="record"/>, and proves its payload. The payload stays where it is, at <see cref="HeaderBytes"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> record, [NotNullWhen(true)] out KvRecordHeader? header, out KvRecordError error)
    {
        if (!TryReadHeader(record, out header, out error)) { return false; }
        error = Verify(header, record[HeaderBytes..]);
        if (error != KvRecordError.None) { header = null; }
        return error == KvRecordError.None;
    }

    /// <summary>Proves that <paramref name="payload"/> is what was written behind <paramref name="header"/>: <see cref="KvRecordError.None"/> if so.</summary>
    public static KvRecordError Verify(KvRecordHeader header, ReadOnlySpan<byte> payload)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (payload.Length != header.PayloadBytes) { return KvRecordError.PayloadTruncated; }
        return Checksum(payload) == header.PayloadChecksum ? KvRecordError.None : KvRecordError.PayloadChecksum;
    }

    private static UInt128 HeaderChecksum(ReadOnlySpan<byte> header) => Checksum(header[..KvRecordFields.HeaderChecksum.Offset]);

    /// <returns>Bytes of the salt.</returns>
    private static int CheckFields(KvRecordHeader header)
    {
        header.Layout.Validate();
        if (header.PayloadBytes != header.Layout.PayloadBytes)
        {
            throw new KvLayoutException("Not the payload of this layout", [
                $"payload_bytes={header.PayloadBytes}, {header.Layout} has {header.Layout.PayloadBytes}"]);
        }
        if (header.FirstToken < 0 || header.FirstToken > int.MaxValue - header.Layout.Tokens)
        {
            throw new ArgumentException(
                $"first_token={header.FirstToken} with {header.Layout.Tokens} tokens leaves 0..{int.MaxValue}.", nameof(header));
        }
        if (header.Hash.ByteCount == 0) { throw new ArgumentException("A record needs its chunk's hash.", nameof(header)); }
        // An unpaired surrogate throws here (EncoderFallbackException is an ArgumentException): it has no UTF-8 form that reads back.
        var saltBytes = StrictUtf8.GetByteCount(header.Salt);
        if (saltBytes > MaxSaltBytes)
        {
            throw new ArgumentException($"The cache salt has {saltBytes} bytes of UTF-8; the limit is {MaxSaltBytes}.", nameof(header));
        }
        if (header.ClientKey.Length > MaxClientKeyBytes || header.ClientNote.Length > MaxClientNoteBytes)
        {
            throw new ArgumentException(
                $"The client's key has {header.ClientKey.Length} bytes and its note {header.ClientNote.Length}; the limits are {MaxClientKeyBytes} and {MaxClientNoteBytes}.",
                nameof(header));
        }
        return saltBytes;
    }

    private static KvRecordError CheckFrame(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes) { return KvRecordError.Truncated; }
        if (!bytes.StartsWith(Magic)) { return KvRecordError.Magic; }
        if (BinaryPrimitives.ReadUInt16LittleEndian(KvRecordFields.Version.In(bytes)) != Version) { return KvRecordError.Version; }
        if (BinaryPrimitives.ReadUInt16LittleEndian(KvRecordFields.HeaderBytes.In(bytes)) != HeaderBytes) { return KvRecordError.HeaderLength; }
        return BinaryPrimitives.ReadUInt128LittleEndian(KvRecordFields.HeaderChecksum.In(bytes)) == HeaderChecksum(bytes)
            ? KvRecordError.None
            : KvRecordError.HeaderChecksum;
    }

    private static void WriteLayout(KvLayout layout, Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(KvRecordFields.Layers.In(bytes), layout.Layers);
        BinaryPrimitives.WriteInt32LittleEndian(KvRecordFields.ModelHeads.In(bytes), layout.ModelHeads);
        BinaryPrimitives.WriteInt32LittleEndian(KvRecordFields.FirstHead.In(bytes), layout.FirstHead);
        BinaryPrimitives.WriteInt32LittleEndian(KvRecordFields.Heads.In(bytes), layout.Heads);
        BinaryPrimitives.WriteInt32LittleEndian(KvRecordFields.HeadDim.In(bytes), layout.HeadDim);
        BinaryPrimitives.WriteInt32LittleEndian(KvRecordFields.Tokens.In(bytes), layout.Tokens);
        BinaryPrimitives.WriteInt32LittleEndian(KvRecordFields.BlockTokens.In(bytes), layout.BlockTokens);
        KvRecordFields.DType.In(bytes)[0] = (byte)layout.DType;
        KvRecordFields.Order.In(bytes)[0] = (byte)layout.Order;
        KvRecordFields.Packing.In(bytes)[0] = (byte)layout.Packing;
        KvRecordFields.BlockMajor.In(bytes)[0] = layout.BlockMajor ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteSingleLittleEndian(KvRecordFields.Scale.In(bytes), layout.Scale);
    }

    /// <summary>The layout as the numbers say it, not yet checked; null if a flag is neither 0 nor 1.</summary>
    private static KvLayout? ReadLayout(ReadOnlySpan<byte> bytes, long payloadBytes)
    {
        var blockMajor = KvRecordFields.BlockMajor.In(bytes)[0];
        if (blockMajor > 1) { return null; }
        var order = (KvOrder)KvRecordFields.Order.In(bytes)[0];
        return new KvLayout
        {
            Layers = BinaryPrimitives.ReadInt32LittleEndian(KvRecordFields.Layers.In(bytes)),
            ModelHeads = BinaryPrimitives.ReadInt32LittleEndian(KvRecordFields.ModelHeads.In(bytes)),
            FirstHead = BinaryPrimitives.ReadInt32LittleEndian(KvRecordFields.FirstHead.In(bytes)),
            Heads = BinaryPrimitives.ReadInt32LittleEndian(KvRecordFields.Heads.In(bytes)),
            HeadDim = BinaryPrimitives.ReadInt32LittleEndian(KvRecordFields.HeadDim.In(bytes)),
            Tokens = BinaryPrimitives.ReadInt32LittleEndian(KvRecordFields.Tokens.In(bytes)),
            BlockTokens = BinaryPrimitives.ReadInt32LittleEndian(KvRecordFields.BlockTokens.In(bytes)),
            DType = (KvDType)KvRecordFields.DType.In(bytes)[0],
            Order = order,
            Packing = (KvPacking)KvRecordFields.Packing.In(bytes)[0],
            BlockMajor = blockMajor == 1,
            Scale = BinaryPrimitives.ReadSingleLittleEndian(KvRecordFields.Scale.In(bytes)),
            OpaqueBytes = order == KvOrder.Opaque ? payloadBytes : 0,
        };
    }

    private static bool TryReadText(ReadOnlySpan<byte> bytes, int length, KvRecordField field, out ByteText text)
    {
        text = default;
        var place = field.In(bytes);
        if (length > place.Length || place[length..].ContainsAnyExcept((byte)0)) { return false; }
        text = new ByteText(place[..length]);
        return true;
    }

    private static bool TryReadSalt(ReadOnlySpan<byte> bytes, out string salt)
    {
        salt = "";
        int saltBytes = KvRecordFields.SaltBytes.In(bytes)[0];
        var field = KvRecordFields.Salt.In(bytes);
        if (saltBytes > MaxSaltBytes || field[saltBytes..].ContainsAnyExcept((byte)0)) { return false; }
        if (!System.Text.Unicode.Utf8.IsValid(field[..saltBytes])) { return false; }
        salt = StrictUtf8.GetString(field[..saltBytes]);
        return true;
    }
}
