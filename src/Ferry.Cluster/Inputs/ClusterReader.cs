using Ferry.Cluster.Inputs.Containers;
using Ferry.Cluster.Inputs.FerryYaml;
using Ferry.Cluster.Inputs.Markdown;
using Ferry.Cluster.Inputs.Processes;
using Ferry.Cluster.Inputs.Shell;
using Ferry.Cluster.Inputs.Yaml;
using Ferry.Cluster.Lint;
using Ferry.Cluster.Lint.Rules.Files;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs;

/// <summary>Reads files of any kind it knows into one cluster.</summary>
internal sealed class ClusterReader
{
    /// <summary>Texts inside texts (a heredoc in a fenced block): deeper ones are left unread.</summary>
    private const int MaxNesting = 4;

    private readonly List<SourceDefect> _defects = [];
    private readonly List<ObservedDocument> _documents = [];
    private readonly List<LmCacheFile> _lmCacheFiles = [];
    private readonly EnvFiles _envFiles = new();
    private readonly List<PlacedScript> _scripts = [];
    private readonly List<PlacedDraft> _drafts = [];
    private readonly List<SourceSpan> _unrecognised = [];
    private int _descriptionCount;

    /// <summary>Never throws on a text: what cannot be read is a defect.</summary>
    public static ReadCluster Read(IReadOnlyList<SourceFile> files)
    {
        var reader = new ClusterReader();
        foreach (var file in files)
        {
            reader.Take(SourcedText.Of(file), file.Path, 0, null);
        }
        return reader.Finish(files);
    }

    /// <summary>First all texts are sorted by kind, for a process may refer to a file that is given behind it.</summary>
    private void Take(SourcedText text, string path, int depth, int? section)
    {
        if (depth > MaxNesting) { return; }
        var broken = new List<SourceDefect>();
        var kind = FileKinds.Of(text, path, broken, out var documents);
        switch (kind)
        {
            case FileKind.Shell:
                _scripts.Add(new PlacedScript(text, section, IsPage: section is not null, depth));
                break;
            case FileKind.EnvFile when section is null || path.Length > 0:
                _envFiles.Add(path, EnvFileReader.Read(text));
                break;
            case FileKind.Markdown:
                TakePage(text, depth);
                break;
            case FileKind.Compose or FileKind.Kubernetes or FileKind.LmCacheYaml or FileKind.FerryYaml or FileKind.OtherYaml:
                if (depth == 0) { _defects.AddRange(broken); }   // a fragment in a page is often cut
                TakeYaml(text, documents ?? [], path, depth);
                break;
            case FileKind.Template:
                _defects.Add(new SourceDefect(TemplateFile.Id, text.Slice(text.Value.IndexOf("{{", StringComparison.Ordinal), 2), ""));
                break;
            case FileKind.Unknown when depth == 0:
                _unrecognised.Add(text.Slice(0, Math.Min(text.Value.Length, 1)));
                break;
            default:
                break;
        }
    }

    private void TakePage(SourcedText page, int depth)
    {
        foreach (var block in MarkdownReader.Read(page))
        {
            if (block.Language is "bash" or "sh" or "shell" or "zsh" or "console")
            {
                _scripts.Add(new PlacedScript(block.Text, block.Section, IsPage: true, depth + 1));
            }
            else if (block.Language is "" or "yaml" or "yml" or "json" or "text")
            {
                // A block of prose or output is of no known kind and says nothing.
                if (FileKinds.Of(block.Text, "") is not (FileKind.Markdown or FileKind.Template or FileKind.Unknown)) { Take(block.Text, "", depth + 1, block.Section); }
            }
        }
    }

    private void TakeYaml(SourcedText text, IReadOnlyList<DataNode> documents, string path, int depth)
    {
        foreach (var root in documents)
        {
            switch (FileKinds.Of(root))
            {
                case FileKind.Compose:
                    _documents.Add(new ObservedDocument(DocumentKind.Compose, root));
                    break;
                case FileKind.Kubernetes:
                    foreach (var item in root.Find("kind")?.TryString() == "List" ? root.Find("items")?.Items ?? [] : [root]) { _documents.Add(new ObservedDocument(DocumentKind.Kubernetes, item)); }
                    break;
                case FileKind.LmCacheYaml:
                    _documents.Add(new ObservedDocument(DocumentKind.LmCache, root));
                    _lmCacheFiles.Add(new LmCacheFile(path, root, root.Span));
                    break;
                case FileKind.FerryYaml:
                    _documents.Add(new ObservedDocument(DocumentKind.FerryYaml, root));
                    if (depth == 0) { TakeDescription(text, path); }
                    break;
                case FileKind.OtherYaml when depth == 0 && documents.Count == 1:
                    _unrecognised.Add(root.Members.Count > 0 ? root.Members[0].Key.Span : root.Span);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>A heredoc that is only printed is a message, not a script.</summary>
    private void TakeHeredoc(string path, SourcedText body, PlacedScript script)
    {
        if (path.Length == 0 && FileKinds.Of(body, "") == FileKind.Shell) { return; }
        Take(body, path, script.Depth + 1, script.Section);
    }

    private void TakeDescription(SourcedText text, string path)
    {
        var index = _descriptionCount++;
        _drafts.AddRange(FerryYamlReader.Read(text, path, _defects).Select(draft => new PlacedDraft(draft, null, index)));
    }

    private ReadCluster Finish(IReadOnlyList<SourceFile> files)
    {
        var page = new ShellScope { IsOpen = true };
        // A heredoc may write a file that a later command, or an earlier one's container, reads: scripts first.
        for (var i = 0; i < _scripts.Count; i++)
        {
            var script = _scripts[i];
            var scripts = new ScriptReader(_envFiles, _defects, (path, body) => TakeHeredoc(path, body, script));
            foreach (var draft in scripts.Read(script.Text, script.IsPage ? page : new ShellScope())) { _drafts.Add(new PlacedDraft(draft, script.Section)); }
        }
        var objects = new KubernetesObjects(_documents.Where(document => document.Kind == DocumentKind.Kubernetes).Select(document => document.Root));
        var compose = new ComposeReader(_envFiles);
        var kubernetes = new KubernetesReader(objects);
        foreach (var document in _documents)
        {
            var drafts = document.Kind switch
            {
                DocumentKind.Compose => compose.Read(document.Root),
                DocumentKind.Kubernetes => kubernetes.Read(document.Root),
                _ => [],
            };
            _drafts.AddRange(drafts.Select(draft => new PlacedDraft(draft, null)));
        }
        var lmCacheFiles = new LmCacheFiles(_lmCacheFiles, ParseLmCache);
        var recognizer = new ProcessRecognizer(lmCacheFiles, _defects);
        var processes = new ProcessGroups();
        foreach (var placed in _drafts) { processes.Add(recognizer.Recognize(placed.Draft, 0), placed.Section, _descriptionCount > 1 ? placed.Description : null); }
        foreach (var fragment in Fragments(lmCacheFiles)) { processes.Add(fragment, null); }
        // Beside files that were understood it may well be no part of the cluster: worth a note, no more.
        LintSeverity? severity = processes.All.Count > 0 || _documents.Count > 0 ? LintSeverity.Info : null;
        _defects.AddRange(_unrecognised.Select(span => new SourceDefect(UnrecognisedFile.Id, span, "") { Severity = severity }));
        return new ReadCluster(new ObservedCluster(files, processes.All, [.. _defects.Distinct()], _documents), [.. objects.SecretValues]);
    }

    private DataNode? ParseLmCache(SourcedText text)
    {
        var documents = YamlReader.Read(text, _defects);
        return documents.Count > 0 ? documents[0] : null;
    }

    /// <summary>Files of settings that nothing refers to are checked alone.</summary>
    private IEnumerable<ObservedProcess> Fragments(LmCacheFiles lmCacheFiles)
    {
        foreach (var file in lmCacheFiles.Unused())
        {
            yield return Fragment(file.Path, file.Span, ProcessEnvironment.Empty, file.Root);
        }
        foreach (var (path, settings) in _envFiles.Unused())
        {
            if (settings.Count > 0) { yield return Fragment(path, settings[0].Span.To(settings[^1].Span), new ProcessEnvironment(settings), null); }
        }
    }

    private static ObservedProcess Fragment(string path, SourceSpan span, ProcessEnvironment environment, DataNode? yaml) => new()
    {
        Kind = ProcessKind.Unknown,
        IsFragment = true,
        Name = Path.GetFileName(path),
        Span = span,
        HeadSpan = span.File.Span(span.Offset, 0),
        Environment = environment,
        LmCache = LmCacheReader.Read(environment, yaml, null),
        Accelerator = AcceleratorGuesser.Guess(
            new ProcessDraft { Name = Path.GetFileNameWithoutExtension(path), Span = span, HeadSpan = span, Words = [] }, environment, ProcessArguments.Empty, null),
    };
}
