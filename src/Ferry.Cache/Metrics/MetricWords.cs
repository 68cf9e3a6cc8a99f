using System.Text;

namespace Ferry.Cache.Metrics;

/// <summary>Label values as Prometheus writes them.</summary>
internal static class MetricWords
{
    /// <summary><c>LoadingIsFaster</c> as <c>loading_is_faster</c>.</summary>
    public static string Of(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var letter in name)
        {
            if (char.IsAsciiLetterUpper(letter) && text.Length > 0)
            {
                text.Append('_');
            }
            text.Append(char.ToLowerInvariant(letter));
        }
        return text.ToString();
    }
}
