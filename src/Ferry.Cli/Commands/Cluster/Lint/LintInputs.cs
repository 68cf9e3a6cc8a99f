using System.Text;
using Ferry.Cluster.Lint;
using Ferry.Cluster.Sources;

namespace Ferry.Cli.Commands.Cluster.Lint;

/// <summary>Reads the files that <c>ferry lint</c> is given, with limits, and writes one back whole or not at all.</summary>
internal static class LintInputs
{
    public const string StandardInput = "<stdin>";

    /// <summary>A hundred thousand lines; no configuration is longer.</summary>
    private const int MaxBytes = 8 << 20;

    private const int MaxFiles = 1000;

    private static readonly string[] Extensions = [".sh", ".bash", ".yaml", ".yml", ".json", ".env", ".md"];

    /// <summary>The files in the order that they are given; those of a directory by name.</summary>
    /// <exception cref="UsageException">There is none, one cannot be read, or there are too many.</exception>
    /// <param name="passedOver">Files of directories that are of no kind that is checked.</param>
    public static IReadOnlyList<SourceFile> Read(IReadOnlyList<string> paths, out int passedOver)
    {
        passedOver = 0;
        if (paths.Count == 0) { throw new UsageException("name the files to check, a directory, or - for standard input."); }
        var files = new List<SourceFile>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (path == "-")
            {
                files.Add(new SourceFile(StandardInput, ReadAll(Console.OpenStandardInput(), "standard input")));
                continue;
            }
            var isDirectory = Directory.Exists(path);
            foreach (var file in isDirectory ? InDirectory(path) : [path])
            {
                if (!seen.Add(Path.GetFullPath(file))) { continue; }
                if (files.Count == MaxFiles) { throw new UsageException($"more than {MaxFiles} files; name a smaller directory."); }
                var source = ReadFile(file);
                if (isDirectory && !Linter.Recognises(source))
                {
                    passedOver++;
                    continue;
                }
                files.Add(source);
            }
        }
        return files;
    }

    /// <exception cref="UsageException">It cannot be read, or is too large.</exception>
    public static SourceFile ReadFile(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return new SourceFile(path, ReadAll(stream, path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{path} cannot be read: {exception.Message}");
        }
    }

    /// <summary>Puts the new text in the place of the file: a file beside it, flushed, then renamed over it, with the same permissions.</summary>
    public static void Replace(SourceFile file)
    {
        var path = Path.GetFullPath(File.ResolveLinkTarget(file.Path, returnFinalTarget: true)?.FullName ?? file.Path);
        var temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{Environment.ProcessId}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                if (!OperatingSystem.IsWindows()) { File.SetUnixFileMode(temporary, File.GetUnixFileMode(path)); }
                stream.Write(new UTF8Encoding(false).GetBytes(file.Text));
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new UsageException($"{file.Path} cannot be rewritten: {exception.Message}");
        }
    }

    private static string[] InDirectory(string directory)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 16, AttributesToSkip = FileAttributes.System };
        string[] found = [.. Directory.EnumerateFiles(directory, "*", options).Where(IsWanted).Take(MaxFiles + 1).Order(StringComparer.Ordinal)];
        return found.Length > 0 ? found : throw new UsageException($"{directory} holds no file that ends in {string.Join(", ", Extensions)}.");
    }

    private static bool IsWanted(string path)
    {
        var name = Path.GetFileName(path);
        return (Extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase) || name.StartsWith(".env", StringComparison.Ordinal)) &&
            !path.Split(Path.DirectorySeparatorChar).Any(part => part is ".git" or "node_modules" or ".venv");
    }

    private static string ReadAll(Stream stream, string name)
    {
        using var buffer = new MemoryStream();
        var part = new byte[1 << 16];
        for (int read; (read = stream.Read(part, 0, part.Length)) > 0;)
        {
            buffer.Write(part, 0, read);
            if (buffer.Length > MaxBytes) { throw new UsageException($"{name} has more than {MaxBytes >> 20} MiB; that is no configuration."); }
        }
        var bytes = buffer.GetBuffer().AsSpan(0, (int)buffer.Length);
        if (bytes.StartsWith(Encoding.UTF8.Preamble)) { bytes = bytes[3..]; }
        return bytes.Contains((byte)0) ? throw new UsageException($"{name} is a binary file.") : Encoding.UTF8.GetString(bytes);
    }
}
