using System.Buffers;
using System.Buffers.Text;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Ferry.Router.Prefixes;

/// <summary>The chained hashes of a prompt's blocks, in a pooled array. Disposed exactly once.</summary>
internal sealed class PromptKeys : IDisposable
{
    /// <summary>
    /// Longest prefix that is looked at, in blocks: 262,144 tokens in blocks of 16. It bounds what
    /// one request can ask of the index.
    /// </summary>
    public const int MaxBlocks = 16_384;

    /// <summary>A piece of text grows with its distance from the start, to this share of it: a hit's length is known to 3 %, and long prompts have few pieces (220 KB: 137). Each is looked for once and noted twice.</summary>
    private const int GrowthShift = 5;

    private ulong[]? _keys;
    private readonly int _count;
    private readonly int _blockBytes;

    private PromptKeys(ulong[] keys, int count, int blockTokens, int blockBytes)
    {
        _keys = keys;
        _count = count;
        BlockTokens = blockTokens;
        _blockBytes = blockBytes;
    }

    public ReadOnlySpan<ulong> Keys => _keys is { } keys ? keys.AsSpan(0, _count) : throw new ObjectDisposedException(nameof(PromptKeys));

    /// <summary>Tokens of one block; 0: the prompt is text.</summary>
    public int BlockTokens { get; }

    /// <summary>What the first <paramref name="blocks"/> blocks cover: tokens, or bytes of a text.</summary>
    public int LengthOf(int blocks)
    {
        if (BlockTokens > 0) { return blocks * BlockTokens; }
        var length = 0;
        for (var index = 0; index < blocks; index++) { length += PieceBytes(length, _blockBytes); }
        return length;
    }

    /// <summary>Hashes pieces of at least <paramref name="blockBytes"/>; the last, unfull one is left out.</summary>
    public static PromptKeys OfText(ReadOnlySpan<byte> text, int blockBytes, ulong root)
    {
        var keys = ArrayPool<ulong>.Shared.Rent(Math.Clamp(text.Length / blockBytes, 1, MaxBlocks));
        var (count, position, parent) = (0, 0, root);
        while (count < MaxBlocks && text.Length - position >= PieceBytes(position, blockBytes))
        {
            var piece = PieceBytes(position, blockBytes);
            parent = Chain(text.Slice(position, piece), parent);
            keys[count++] = parent;
            position += piece;
        }
        return new PromptKeys(keys, count, 0, blockBytes);
    }

    /// <summary>Hashes blocks of token ids; the last, unfull one is left out.</summary>
    /// <param name="firstExtra">Hash of what else the first block depends on (cache salt), or 0.</param>
    public static PromptKeys OfTokens(ReadOnlySpan<int> tokens, int blockTokens, ulong root, ulong firstExtra)
    {
        var count = Math.Min(tokens.Length / blockTokens, MaxBlocks);
        var keys = ArrayPool<ulong>.Shared.Rent(Math.Max(count, 1));
        var parent = root;
        for (var index = 0; index < count; index++)
        {
            parent = NextOfTokens(parent, tokens.Slice(index * blockTokens, blockTokens), index == 0 ? firstExtra : 0);
            keys[index] = parent;
        }
        return new PromptKeys(keys, count, blockTokens, 0);
    }

    /// <summary>Hash of a block of token ids behind another.</summary>
    public static ulong NextOfTokens(ulong parent, ReadOnlySpan<int> tokens, ulong extra) => Chain(MemoryMarshal.AsBytes(tokens), parent ^ extra);

    /// <summary>Where the chains of token blocks begin: other block lengths and adapters share nothing.</summary>
    public static ulong RootOfTokens(int blockTokens, ReadOnlySpan<byte> adapter) => Chain(adapter, 0x746f_6b65_6e73 + (ulong)blockTokens);

    /// <summary>Never 0, which the index takes for an empty entry.</summary>
    public static ulong Chain(ReadOnlySpan<byte> bytes, ulong parent) => Math.Max(XxHash3.HashToUInt64(bytes, (long)parent), 1);

    /// <summary>The ids of a raw JSON list of whole numbers, in a pooled array; null when it is something else.</summary>
    public static int[]? TryReadTokens(ReadOnlySpan<byte> json, out int count)
    {
        count = 0;
        if (json.Length < 3 || json[0] != '[' || json[^1] != ']') { return null; }
        var position = SkipSpace(json, 1);
        if (position >= json.Length || !char.IsAsciiDigit((char)json[position])) { return null; }
        // Every id but the last has at least a digit and a comma.
        var tokens = ArrayPool<int>.Shared.Rent((json.Length / 2) + 1);
        while (Utf8Parser.TryParse(json[position..], out int token, out var read))
        {
            tokens[count++] = token;
            position = SkipSpace(json, position + read);
            if (position == json.Length - 1) { return tokens; }
            if (json[position] != ',') { break; }
            position = SkipSpace(json, position + 1);
            if (position >= json.Length) { break; }
        }
        ArrayPool<int>.Shared.Return(tokens);
        count = 0;
        return null;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _keys, null) is { } keys) { ArrayPool<ulong>.Shared.Return(keys); }
    }

    private static int PieceBytes(int position, int blockBytes) => Math.Max(blockBytes, position >> GrowthShift);

    private static int SkipSpace(ReadOnlySpan<byte> json, int position)
    {
        while (position < json.Length && json[position] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') { position++; }
        return position;
    }
}
