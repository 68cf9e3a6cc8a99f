using System.Collections.Frozen;

namespace Ferry.Engine.Tokenization;

/// <summary>How byte-level BPE spells bytes as characters (GPT-2's bytes_to_unicode): printable ones as themselves, the other 68 from U+0100 on.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] ByteToChar = Build();

    private static readonly FrozenDictionary<char, byte> CharToByte =
        ByteToChar.Select((character, index) => (character, index)).ToFrozenDictionary(p => p.character, p => (byte)p.index);

    public static char ToChar(byte value) => ByteToChar[value];

    /// <summary>Bytes of a vocabulary entry, or null when it has a character outside the alphabet.</summary>
    public static byte[]? TryToBytes(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            if (!CharToByte.TryGetValue(token[i], out bytes[i])) { return null; }
        }
        return bytes;
    }

    private static char[] Build()
    {
        var table = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            table[value] = printable ? (char)value : (char)next++;
        }
        return table;
    }
}
