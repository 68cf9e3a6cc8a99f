using System.Globalization;
using System.Text;

namespace Ferry.Cluster.Verification.Transfers;

/// <summary>A prompt that no cache has ever seen, of about a wanted length.</summary>
internal static class ProofPrompt
{
    /// <summary>A line below is about this many tokens for the vocabularies of Llama and Qwen; a small vocabulary takes more.</summary>
    private const int TokensOfALine = 12;

    /// <param name="nonce">Stands at the beginning, so that not even the first block is known.</param>
    public static string Build(string nonce, int tokens)
    {
        var text = new StringBuilder($"Ferry verifies a transfer, number {nonce}. ");
        for (var line = 1; line <= Math.Max(1, tokens / TokensOfALine); line++)
        {
            text.Append(CultureInfo.InvariantCulture, $"Box {line} holds {line * 7919 % 1000} letters. ");
        }
        return text.Append("The first box holds").ToString();
    }
}
