using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Ferry.Router.Configuration;

/// <summary>Reads YAML documents and says where in them something stands.</summary>
internal static class YamlPlace
{
    /// <summary>Longest configuration file.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>The root mapping; null, with an error, when there is none. An empty file is an empty mapping.</summary>
    public static YamlMappingNode? Parse(string text, string path, List<string> errors)
    {
        if (text.Length > MaxBytes)
        {
            errors.Add($"{path}: {text.Length} characters; a configuration has at most {MaxBytes}.");
            return null;
        }
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count == 0)
            {
                return [];
            }
            if (stream.Documents.Count > 1)
            {
                errors.Add($"{Of(path, stream.Documents[1].RootNode)}: a second document; write everything into one.");
                return null;
            }
            if (stream.Documents[0].RootNode is YamlMappingNode mapping)
            {
                return mapping;
            }
            errors.Add($"{Of(path, stream.Documents[0].RootNode)}: the file must be a mapping of keys to values.");
        }
        catch (YamlException exception)
        {
            errors.Add($"{path}:{exception.Start.Line}:{exception.Start.Column}: not valid YAML: {exception.Message}");
        }
        return null;
    }

    /// <summary>file:line:column</summary>
    public static string Of(string path, YamlNode node) => $"{path}:{node.Start.Line}:{node.Start.Column}";

    /// <summary>Reads a whole file, or says why it cannot be read.</summary>
    public static string? TryReadFile(string path, List<string> errors)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes } file)
            {
                errors.Add($"{path}: {file.Length} bytes; a configuration has at most {MaxBytes}.");
                return null;
            }
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            errors.Add($"{path}: cannot be read: {exception.Message}");
            return null;
        }
    }
}
