/* Lucene on the same saved searches: CoveringQuery over the required terms, and the rarest of
 * them as a filter besides, which is faster. How many optional terms are met is counted over the
 * hits in plain Java.
 *
 * usage: java -cp lucene-core.jar:lucene-analyzers-common.jar:lucene-sandbox.jar \
 *            Percolate.java FOLDER SECONDS
 *
 * Reads searches.tsv and events.tsv of matching_percolate, writes percolate.lucene as it writes
 * percolate.ours, and prints "RATE": events a second of the thread's CPU time.
 */

import java.io.*;
import java.lang.management.*;
import java.nio.file.*;
import java.util.*;
import org.apache.lucene.analysis.core.KeywordAnalyzer;
import org.apache.lucene.document.*;
import org.apache.lucene.index.*;
import org.apache.lucene.search.*;
import org.apache.lucene.store.*;
import org.apache.lucene.util.BytesRef;

public class Percolate {
    static final FieldType TERM = new FieldType();
    static {
        TERM.setIndexOptions(IndexOptions.DOCS);
        TERM.setTokenized(false);
        TERM.setOmitNorms(true);
        TERM.freeze();
    }

    record Event(int[] terms, String region, String[] languages, int day) {}

    static int[] numbers(String list) {
        return list.isEmpty() ? new int[0]
                              : Arrays.stream(list.split(",")).mapToInt(Integer::parseInt).toArray();
    }

    static String name(int term) {
        return Integer.toString(term, 36);
    }

    /* The optional terms of each search and how many of them are needed. */
    static final List<int[]> optional = new ArrayList<>();
    static final List<Integer> least = new ArrayList<>();

    static Map<Integer, Integer> frequencies(Path file) throws IOException {
        Map<Integer, Integer> having = new HashMap<>();
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            for (String line; (line = reader.readLine()) != null;)
                for (int term : numbers(line.split("\t", -1)[0]))
                    having.merge(term, 1, Integer::sum);
        }
        return having;
    }

    static Document document(String line, int id, Map<Integer, Integer> having) {
        String[] fields = line.split("\t", -1);
        int[] required = numbers(fields[0]);
        Document document = new Document();
        int rarest = required[0];
        for (int term : required) {
            document.add(new Field("required", name(term), TERM));
            if (having.getOrDefault(term, 0) < having.getOrDefault(rarest, 0))
                rarest = term;
        }
        document.add(new Field("anchor", name(rarest), TERM));
        document.add(new NumericDocValuesField("count", required.length));
        document.add(new NumericDocValuesField("id", id));
        optional.add(numbers(fields[1]));
        least.add(Integer.parseInt(fields[2]));
        for (String region : (fields[3].isEmpty() ? "*" : fields[3]).split(","))
            document.add(new Field("region", region, TERM));
        for (String language : (fields[4].isEmpty() ? "*" : fields[4]).split(","))
            document.add(new Field("language", language, TERM));
        document.add(new IntPoint("latest", Integer.parseInt(fields[5])));
        return document;
    }

    static Directory build(Path folder) throws IOException {
        Directory directory = new MMapDirectory(Files.createTempDirectory(folder, "lucene"));
        Map<Integer, Integer> having = frequencies(folder.resolve("events.tsv"));
        IndexWriterConfig config =
            new IndexWriterConfig(new KeywordAnalyzer()).setRAMBufferSizeMB(512);
        try (IndexWriter writer = new IndexWriter(directory, config);
             BufferedReader reader = Files.newBufferedReader(folder.resolve("searches.tsv"))) {
            int id = 0;
            for (String line; (line = reader.readLine()) != null;)
                writer.addDocument(document(line, id++, having));
            writer.forceMerge(1);
        }
        return directory;
    }

    static List<Event> events(Path file) throws IOException {
        List<Event> events = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            for (String line; (line = reader.readLine()) != null;) {
                String[] fields = line.split("\t", -1);
                events.add(new Event(numbers(fields[0]), fields[1], fields[2].split(","),
                                     Integer.parseInt(fields[3])));
            }
        }
        return events;
    }

    static Query query(Event event) {
        List<Query> terms = new ArrayList<>();
        List<BytesRef> anchors = new ArrayList<>();
        List<BytesRef> languages = new ArrayList<>(List.of(new BytesRef("*")));
        for (int term : event.terms) {
            terms.add(new TermQuery(new Term("required", name(term))));
            anchors.add(new BytesRef(name(term)));
        }
        for (String language : event.languages)
            languages.add(new BytesRef(language));
        return new BooleanQuery.Builder()
            .add(new CoveringQuery(terms, LongValuesSource.fromLongField("count")),
                 BooleanClause.Occur.FILTER)
            .add(new TermInSetQuery("anchor", anchors), BooleanClause.Occur.FILTER)
            .add(new TermInSetQuery("region", new BytesRef("*"), new BytesRef(event.region)),
                 BooleanClause.Occur.FILTER)
            .add(new TermInSetQuery("language", languages), BooleanClause.Occur.FILTER)
            .add(IntPoint.newRangeQuery("latest", event.day, Integer.MAX_VALUE),
                 BooleanClause.Occur.FILTER)
            .build();
    }

    static int[] found = new int[1024];
    static int foundCount;

    /* The hits that meet enough optional terms, in `found`. */
    static void match(IndexSearcher searcher, Event event, BitSet has) throws IOException {
        foundCount = 0;
        has.clear();
        for (int term : event.terms)
            has.set(term);
        searcher.search(query(event), new SimpleCollector() {
            NumericDocValues ids;
            @Override protected void doSetNextReader(LeafReaderContext context)
                throws IOException {
                ids = context.reader().getNumericDocValues("id");
            }
            @Override public ScoreMode scoreMode() {
                return ScoreMode.COMPLETE_NO_SCORES;
            }
            @Override public void collect(int doc) throws IOException {
                ids.advanceExact(doc);
                int id = (int) ids.longValue();
                int met = 0;
                for (int term : optional.get(id))
                    met += has.get(term) ? 1 : 0;
                if (met < least.get(id))
                    return;
                if (foundCount == found.length)
                    found = Arrays.copyOf(found, 2 * foundCount);
                found[foundCount++] = id;
            }
        });
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Paths.get(arguments[0]);
        double seconds = Double.parseDouble(arguments[1]);
        Directory directory = build(folder);
        List<Event> events = events(folder.resolve("events.tsv"));
        IndexSearcher searcher = new IndexSearcher(DirectoryReader.open(directory));
        searcher.setQueryCache(null);
        BitSet has = new BitSet();
        try (PrintWriter writer = new PrintWriter(
                 Files.newBufferedWriter(folder.resolve("percolate.lucene")))) {
            for (Event event : events) { /* warms up, too */
                match(searcher, event, has);
                Arrays.sort(found, 0, foundCount);
                StringJoiner line = new StringJoiner(" ");
                for (int i = 0; i < foundCount; i++)
                    line.add(Integer.toString(found[i]));
                writer.print(line + "\n");
            }
        }
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        long done = 0;
        do {
            for (Event event : events)
                match(searcher, event, has);
            done += events.size();
        } while (threads.getCurrentThreadCpuTime() - start < seconds * 1e9);
        System.out.printf(Locale.ROOT, "%.1f%n",
                          done / ((threads.getCurrentThreadCpuTime() - start) / 1e9));
    }
}
