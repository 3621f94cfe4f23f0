"""Grading: students' code in processes of its own, the tests in one that it cannot touch.

wire        values as plain data, between the two
seccomp     system calls that are forbidden at every level
isolation   what a student's process can reach, and its limits
absent      what is not there while students' code runs
watch       processor time, and what is called of cliplab
cells       a notebook's cells, and the names as each answer's cell left them
worker      what runs in a student's process
zygote      one process with torch ready, from which students' processes are forked
nursery     the grader's handle on it
student     a student's process, asked one thing at a time
entries     what lies in folders and archives, read without unpacking
submission  a submission, and the cells of its notebook
handed_in   who handed in what, and what became of every entry
pictures    cells that only show pictures are left out
runner      a submission's cells and functions, started again when its process dies
result      what grading one submission gives, as plain data
shown       one cleaning for all that is shown of students
draws       the seed of every draw of a test
remarks     which cell answers, and what a person should know
grade       the master's tests on it
many        two hundred of them in parallel, killed and resumed
table       tables of any spreadsheet
desk        the folder of grades, in which nothing that people wrote is overwritten
marks       the teacher's marks: marks.csv
essays      essays in what was handed in, and the pages on which they are read
roster      who should hand in, and until when
again       a grade once more, on an appeal
report      grades.csv, grades.json, feedback
gradebook   what goes back to Moodle and Canvas
command     `python -m classroom grade`
"""
