using System.Globalization;

namespace Ferry.Router.Connectors;

/// <summary>What a node's <c>GET /version</c> says: which wire form its connector has.</summary>
/// <param name="Text">As the node writes it, cut to a sensible length.</param>
/// <param name="IsFerry">Ferry's own nodes say so beside the version.</param>
internal sealed record NodeVersion(string Text, int Major, int Minor, bool IsFerry = false)
{
    private const int MaxCharacters = 64;

    /// <summary>Where it takes pushes; null: nowhere.</summary>
    public DecodeTarget? PushTo { get; init; }

    /// <summary>Block ids in groups and remote_request_id came with vLLM 0.12; before, the ids are one flat list.</summary>
    public bool HasRequestIds => (Major, Minor).CompareTo((0, 12)) >= 0;

    /// <summary>Null: no version.</summary>
    public static NodeVersion? TryParse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        var numbers = text.TrimStart('v').Split('.', 3);
        return numbers.Length >= 2
            && int.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && int.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
                ? new NodeVersion(text.Length > MaxCharacters ? text[..MaxCharacters] : text, major, minor)
                : null;
    }
}
