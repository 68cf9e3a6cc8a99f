using System.IO.Hashing;
using System.Text;

namespace Ferry.Cluster.Rendering.Output;

/// <summary>A short name for a text: equal for equal texts on every machine, so that a container or pod can say from which settings it was made.</summary>
internal static class ContentHash
{
    /// <summary>16 hexadecimal digits (XXH3-64).</summary>
    public static string Of(string text) => Convert.ToHexStringLower(XxHash3.Hash(Encoding.UTF8.GetBytes(text)));
}
