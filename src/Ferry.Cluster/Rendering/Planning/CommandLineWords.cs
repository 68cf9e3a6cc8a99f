using System.Text;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>Cuts a line of flags into words, as a shell would: blanks separate, quotes hold together, nothing is expanded.</summary>
internal static class CommandLineWords
{
    public static IReadOnlyList<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (inWord, quote) = (false, '\0');
        foreach (var c in line)
        {
            if (quote != '\0')
            {
                if (c == quote) { quote = '\0'; }
                else { word.Append(c); }
            }
            else if (c is '\'' or '"')
            {
                (quote, inWord) = (c, true);
            }
            else if (c is ' ' or '\t')
            {
                if (inWord) { words.Add(word.ToString()); }
                (inWord, _) = (false, word.Clear());
            }
            else
            {
                word.Append(c);
                inWord = true;
            }
        }
        if (inWord) { words.Add(word.ToString()); }
        return words;
    }
}
