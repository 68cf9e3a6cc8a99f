namespace Ferry.IntegrationTests.Fronts;

/// <summary>Commands as a client writes them.</summary>
internal static class RespText
{
    public static string Of(params string[] words) => $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"));
}
